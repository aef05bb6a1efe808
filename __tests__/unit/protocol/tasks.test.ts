import { describe, expect, test } from '@jest/globals';
import { createdTask, mayCreateTask, taskAskedFor } from '../../../src/protocol/tasks.ts';

const result = (members: object): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, result: members });

describe('E3: the task that a request is about', () => {
  test.each([
    ['tasks/get', 'a', 'a'],
    ['tasks/update', 'a b', 'a b'],
    ['tasks/cancel', '=?base64?w7w=?=', 'ü'],
    ['tasks/get', '=?base64?YQ==?=', 'a'],
    ['tasks/get', '=?base64?/w==?=', undefined],
    ['tasks/get', '=?base64?YQ?=', 'a'],
    ['tasks/get', '=?base64?a?=', undefined],
    ['tasks/get', '=?base64??=', undefined],
    ['tasks/get', '=?utf8?a?=', '=?utf8?a?='],
    ['tasks/get', 'x'.repeat(1025), undefined],
    ['tasks/get', '', undefined],
    ['tasks/get', undefined, undefined],
    ['tasks/list', 'a', undefined],
    ['tools/call', 'a', undefined],
    [undefined, 'a', undefined],
  ])('%p %p is %p', (method, name, task) => {
    expect(taskAskedFor(method, name)).toBe(task);
  });

  test('only a call may create one', () => {
    const asked = ['tools/call', 'tasks/get', 'tools/list', undefined];
    expect(asked.map(mayCreateTask)).toEqual([true, false, false, false]);
  });
});

describe('E3: the task in an answer', () => {
  test.each([
    [result({ resultType: 'task', taskId: 'a', ttl: 5000 }), { id: 'a', ttl: 5000 }],
    [result({ resultType: 'task', task: { taskId: 'a', ttl: null } }), { id: 'a', ttl: undefined }],
    [result({ resultType: 'task', taskId: 'a', ttlMs: 7 }), { id: 'a', ttl: 7 }],
    [result({ resultType: 'task', taskId: 'a', ttl: -1 }), { id: 'a', ttl: undefined }],
    [result({ resultType: 'task', taskId: 'a', ttl: '5' }), { id: 'a', ttl: undefined }],
    [result({ resultType: 'task' }), undefined],
    [result({ resultType: 'task', taskId: '' }), undefined],
    [result({ resultType: 'task', taskId: 7 }), undefined],
    [result({ resultType: 'task', taskId: 'x'.repeat(1025) }), undefined],
    [result({ resultType: 'complete', taskId: 'a' }), undefined],
    [result({ taskId: 'a' }), undefined],
    ['{"params":{"resultType":"task","taskId":"a"}}', undefined],
    ['{"resultType"', undefined],
    ['null', undefined],
  ])('%s is %j', (json, task) => {
    expect(createdTask(json)).toEqual(task);
  });
});

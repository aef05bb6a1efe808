/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';

// The line above is for Node 20, which has no loader for TypeScript.

// Unit tests do without a Redis, and so without its set-up.
const redis = {
  globalSetup: '<rootDir>/scripts/ensure-redis.mjs',
  globalTeardown: '<rootDir>/scripts/stop-redis.mjs',
};

function project(name: string, setup: object = {}): NonNullable<Config['projects']>[number] {
  return {
    displayName: name,
    testEnvironment: 'node',
    testMatch: [`<rootDir>/__tests__/${name}/**/*.test.ts`],
    extensionsToTreatAsEsm: ['.ts'],
    injectGlobals: false,
    modulePathIgnorePatterns: [
      '<rootDir>/dist/',
      '<rootDir>/.stryker-tmp/',
      '/runner/node_modules/',
    ],
    transform: {
      '\\.ts$': [
        '@swc/jest',
        {
          jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
          module: { type: 'es6' },
        },
      ],
    },
    ...setup,
  };
}

const unit = project('unit');
const others = [
  project('integration', {
    ...redis,
    globalSetup: '<rootDir>/scripts/ensure-integration-tools.mjs',
  }),
  project('conformance', redis),
  project('hostile'),
  project('browser', { globalSetup: '<rootDir>/scripts/ensure-browser.mjs' }),
  project('faults', { ...redis, globalSetup: '<rootDir>/scripts/ensure-fault-tools.mjs' }),
];

const config: Config = {
  // Mutants (`npm run mutate`) meet the unit tests only.
  projects: process.env.STRYKER_MUTATOR_WORKER ? [unit] : [unit, ...others],
  maxWorkers: 2,
  testSequencer: '<rootDir>/scripts/longest-first.mjs',
  // Ten times what the longest takes on a machine that has nothing else to do.
  testTimeout: 120_000,
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/**/*.ts'],
};

export default config;

import type { Kind } from '../bench/backend-death/client.ts';

/** From the bottom of the stack to its top. */
export const LEGEND: readonly { kind: Kind; label: string }[] = [
  { kind: 'ok', label: '2xx' },
  { kind: 'again', label: '404, start again' },
  { kind: 'refused', label: 'other 4xx' },
  { kind: 'error', label: '5xx' },
  { kind: 'broken', label: 'connection broken' },
];

/** Blue, orange, dark red, neutral: they differ in lightness too. The card has its own background in both schemes. */
export const STYLE = `
text { font: 12px -apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif; fill: #1f2328 }
.title { font-size: 17px; font-weight: 600 } .front { font-size: 14px; font-weight: 600 } .quiet { fill: #59636e }
.card { fill: #ffffff; stroke: #d1d9e0 } .dead { fill: #eef0f3 } .grid { stroke: #d1d9e0 } .axis, .event { stroke: #59636e }
.event { stroke-dasharray: 4 3 } .offered { stroke: #1f2328; stroke-dasharray: 1 3; stroke-width: 1.5 }
.ok { fill: #6cb2e8 } .again { fill: #e69500 } .refused { fill: #6f42c1 } .error { fill: #b3261e } .broken { fill: #1f2328 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .quiet { fill: #9198a1 } .card { fill: #0d1117; stroke: #3d444d } .dead { fill: #1c222b }
.grid { stroke: #3d444d } .axis, .event { stroke: #9198a1 } .offered { stroke: #e6edf3 }
.ok { fill: #2f81c7 } .again { fill: #f2a93b } .refused { fill: #b392f0 } .error { fill: #ff5c4d } .broken { fill: #f0f6fc }
}`;

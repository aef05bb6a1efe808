/** A project that uses the package as it is published, and the major versions beside it. */
export interface Consumer {
  /** In `fixtures/consumers`. */
  readonly project: 'es-modules' | 'commonjs' | 'nodenext' | 'bundler';
  readonly packages: 'oldest' | 'newest';
}

/** What a project installs, and where that lies in node_modules here. */
export const PACKAGES: Readonly<
  Record<Consumer['packages'], { readonly name: string; readonly at: Record<string, string> }>
> = {
  oldest: {
    name: 'Express 4, http-proxy-middleware 3, ioredis 5',
    at: {
      express: 'express4',
      'http-proxy-middleware': 'http-proxy-middleware3',
      ioredis: 'ioredis5',
      '@types/express': '@types/express4',
      '@types/node': '@types/node',
    },
  },
  newest: {
    name: 'Express 5, http-proxy-middleware 4, ioredis 6',
    at: {
      express: 'express',
      'http-proxy-middleware': 'http-proxy-middleware',
      ioredis: 'ioredis',
      '@types/express': '@types/express',
      '@types/node': '@types/node',
    },
  },
};

export const PROJECTS: Readonly<Record<Consumer['project'], string>> = {
  'es-modules': 'JavaScript, ES modules',
  commonjs: 'JavaScript, CommonJS with require()',
  nodenext: 'TypeScript, moduleResolution nodenext',
  bundler: 'TypeScript, moduleResolution bundler, in one file by esbuild',
};

export const allConsumers: readonly Consumer[] = (['oldest', 'newest'] as const).flatMap(
  (packages): Consumer[] => [
    { project: 'es-modules', packages },
    { project: 'commonjs', packages },
    { project: 'nodenext', packages },
    { project: 'bundler', packages },
  ],
);

/** All of them with `MATRIX=full`, else each project once. */
export const consumers: readonly Consumer[] =
  process.env.MATRIX === 'full'
    ? allConsumers
    : [
        { project: 'es-modules', packages: 'oldest' },
        { project: 'commonjs', packages: 'newest' },
        { project: 'nodenext', packages: 'oldest' },
        { project: 'bundler', packages: 'newest' },
      ];

/** The title of its tests, by which their results are found. */
export function consumerName({ project, packages }: Consumer): string {
  return `${PROJECTS[project]}; ${PACKAGES[packages].name}`;
}

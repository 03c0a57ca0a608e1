/**
 * Who may import whom (docs/architecture.md), as rules of dependency-cruiser. A new package gets a line in
 * `mayImport`; until then it may import no other.
 */

/** Folders as regular expressions. Tests and scripts may besides import the conformance suites. */
const mayImport = {
  'packages/core': [],
  'packages/onnx-graph': ['packages/core'],
  'packages/bundle': ['packages/core'],
  'packages/adapter-[^/]+': ['packages/core', 'packages/onnx-graph'],
  'packages/policy-[^/]+': ['packages/core'],
  'packages/calibration': ['packages/core'],
  'packages/datasets': ['packages/core'],
  'packages/conformance': ['packages/core'],
  'packages/training': ['packages/core', 'packages/onnx-graph'],
  'apps/cli': ['packages/[^/]+', 'apps/[^/]+'],
  'apps/bench': ['packages/[^/]+', 'apps/train'],
  'apps/(?:train|serve|playground)': ['packages/[^/]+'],
}

/** Inference engines and the only folders whose published code may import them. */
const engines = {
  onnxruntime: { modules: 'onnxruntime-[^/]+', users: 'packages/adapter-onnxruntime|apps/cli' },
  tfjs: { modules: '@tensorflow', users: 'packages/adapter-tfjs|apps/train|apps/cli' },
}

const developerFiles = '(?:\\.test(?:-d)?\\.ts|/(?:scripts|testing)/[^/]+|/tsup\\.config\\.ts)$'
const workspaces = '^(?:packages|apps)/'

/** @param {string} name @param {string} comment @param {object} from @param {object} to */
const forbid = (name, comment, from, to) => ({ name, comment, severity: /** @type {const} */ ('error'), from, to })

const directions = Object.entries(mayImport).flatMap(([folder, allowed]) => {
  const name = `directions of ${folder}`
  const comment = `May import ${allowed.join(' and ') || 'no other workspace'}: see tooling/dependency-rules.mjs.`
  // $1 is the importing folder itself.
  const outside = (/** @type {string[]} */ ...folders) => ({
    path: workspaces,
    pathNot: `^(?:${['$1', ...folders].join('|')})/`,
  })
  return [
    forbid(name, comment, { path: `^(${folder})/`, pathNot: developerFiles }, outside(...allowed)),
    forbid(
      `${name} in tests`,
      comment,
      { path: `^(${folder})/.*${developerFiles}` },
      outside(...allowed, 'packages/conformance'),
    ),
  ]
})

const engineUsers = Object.entries(engines).map(([name, { modules, users }]) =>
  forbid(
    `${name} is injected`,
    `Only ${users.replaceAll('|', ' and ')} name this engine; everybody else gets a Backend or a runner passed in.`,
    { path: workspaces, pathNot: `^(?:${users})/|${developerFiles}` },
    { path: `(?:^|node_modules/)(?:${modules})/` },
  ),
)

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...directions,
    ...engineUsers,
    forbid(
      'unlisted workspace',
      'Give it a line in tooling/dependency-rules.mjs.',
      { path: '^((?:packages|apps)/[^/]+)/', pathNot: `^(?:${Object.keys(mayImport).join('|')})/` },
      { path: workspaces, pathNot: '^$1/' },
    ),
    forbid(
      'core imports nothing',
      'It runs unchanged in browsers, without any dependency.',
      { path: '^packages/core/', pathNot: developerFiles },
      { pathNot: '^packages/core/' },
    ),
    forbid(
      'by name',
      'Import another workspace by the name of its package.',
      { path: '^((?:packages|apps)/[^/]+)/' },
      { path: workspaces, pathNot: '^$1/', dependencyTypes: ['local'] },
    ),
    forbid(
      'tooling is not published',
      'Only tests, scripts and build configurations may import it.',
      { path: workspaces, pathNot: developerFiles },
      { path: '^tooling/' },
    ),
    forbid(
      'undeclared package',
      "Add it to the importing package's package.json.",
      { path: workspaces, pathNot: developerFiles },
      {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'],
        // An optional peer is of both kinds, npm-peer and npm-no-pkg.
        dependencyTypesNot: ['npm', 'npm-peer'],
      },
    ),
    forbid('unresolvable', 'The import leads nowhere.', {}, { couldNotResolve: true }),
    forbid('cycle', 'Break the cycle.', {}, { circular: true }),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(?:packages|apps)/[^/]+/dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['@sluice/source', 'import', 'types'] },
  },
}

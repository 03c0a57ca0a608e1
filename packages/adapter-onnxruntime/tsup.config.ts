import { defineBuild } from '../../tooling/tsup.base.ts'

export default defineBuild({ node: 'src/node.ts', web: 'src/web.ts' })

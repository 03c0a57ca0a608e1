import { defineBuild } from '../../tooling/tsup.base.ts'

export default defineBuild({ index: 'src/index.ts' })

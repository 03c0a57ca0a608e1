import { defineBuild } from '../../tooling/tsup.base.ts'

export default defineBuild({ main: 'src/main.ts' }, { platform: 'node' })

import { pasteTests } from './paste.ts'

pasteTests(1)

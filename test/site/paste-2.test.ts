import { pasteTests } from './paste.ts'

pasteTests(2)

import { ownNodeTests } from './paste-own-node.ts'

ownNodeTests(2)

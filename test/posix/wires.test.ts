import { expect, test } from 'vitest'
import { AF_INET } from '#posix'
import { placeOrSkip } from '../support/namespace.ts'
import { program, results } from './sockets.ts'

const place = placeOrSkip('in a network namespace')

test.skipIf(place === undefined)('what a host sends comes here, and what is delivered arrives there', async () => {
  const [command, ...args] = [...place!.prefix, process.execPath, program('wire-end.ts')]
  const peer = { family: AF_INET, address: '192.0.2.2', port: 7 }
  expect(await results(command!, ...args)).toEqual({
    nothing: true,
    udp: true,
    ports: true,
    to: peer,
    data: 'ping',
    received: 'ping',
    from: peer,
  })
})

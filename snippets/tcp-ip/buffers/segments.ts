// How long a segment may be: on the loopback interface, and on a cable whose MTU is changed.
// usage: node segments.ts (in a network of its own: unshare -Urn node segments.ts, with lo up)

import {
  AF_INET,
  IPPROTO_TCP,
  type Network,
  SOCK_STREAM,
  TCP_INFO,
  accept,
  bind,
  cable,
  close,
  connect,
  getsockname,
  getsockopt,
  listen,
  network,
  setInterfaceAddress,
  setInterfaceMtu,
  sockaddr_in,
  socket,
} from '#posix'

try {
  const [here, there] = [network(), network()]
  cable('cable', here, there)
  here.within(() => setInterfaceAddress('cable', '10.0.0.1', '255.255.255.0'))
  there.within(() => setInterfaceAddress('cable', '10.0.0.2', '255.255.255.0'))

  tell('loopback', socketHere, socketHere, '127.0.0.1')
  for (const mtu of [9000, 1500, 1492, 576]) {
    for (const each of [here, there]) each.within(() => setInterfaceMtu('cable', mtu))
    tell('cable', socketIn(here), socketIn(there), '10.0.0.2')
  }
  for (const each of [here, there]) each.close()
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// #region tell
function tell(link: string, client: () => number, server: () => number, address: string): void {
  const listenFd = server()
  bind(listenFd, sockaddr_in(address, 0))
  listen(listenFd, 1)
  const clientFd = client()
  connect(clientFd, getsockname(listenFd, sockaddr_in('0.0.0.0', 0)))
  const connFd = accept(listenFd)

  const info = Buffer.alloc(256) // struct tcp_info of linux/tcp.h: tcpi_pmtu and tcpi_advmss
  getsockopt(clientFd, IPPROTO_TCP, TCP_INFO, info)
  const [mtu, mss] = [info.readUInt32LE(60), info.readUInt32LE(84)]
  console.log(`${link}: MTU ${mtu}, ${mss} bytes of data and ${mtu - mss} of headers`)
  for (const fd of [clientFd, connFd, listenFd]) close(fd)
}
// #endregion tell

function socketHere(): number {
  return socket(AF_INET, SOCK_STREAM, 0)
}

function socketIn(place: Network): () => number {
  return () => place.within(socketHere)
}

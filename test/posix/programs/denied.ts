// Prints what calls throw in a process without CAP_NET_BIND_SERVICE, CAP_NET_RAW and CAP_NET_ADMIN.

import {
  AF_INET,
  IPPROTO_ICMP,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_SOCKET,
  type SystemError,
  bind,
  setsockopt,
  sockaddr,
  socket,
} from '#posix'

const PORT = Number(process.argv[2])
const SO_RCVBUFFORCE = 33

function errorOf(act: () => unknown): string {
  try {
    return String(act())
  } catch (error) {
    return (error as SystemError).message
  }
}

const fd = socket(AF_INET, SOCK_STREAM, 0)
console.log(
  JSON.stringify({
    bind: errorOf(() => bind(fd, sockaddr('127.0.0.1', PORT))),
    socket: errorOf(() => socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)),
    setsockopt: errorOf(() => setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, 65_536)),
  }),
)

// The numbers behind the names, as Linux defines them (asm-generic and uapi/linux headers; the same
// on x86-64 and arm64). Other systems give the same names other numbers: SO_RCVBUF is 8 here and
// 0x1002 on BSD, macOS and Windows. Error numbers are in errors.ts, signal numbers in node:os.

// #region families
// Address families, socket(2)
export const AF_UNIX = 1
export const AF_INET = 2
export const AF_INET6 = 10
export const AF_NETLINK = 16
export const AF_PACKET = 17
// #endregion families

// #region types
// Socket types, and two flags that may be or-ed to them
export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
export const SOCK_RDM = 4
export const SOCK_SEQPACKET = 5
export const SOCK_PACKET = 10
export const SOCK_NONBLOCK = 0o4000
export const SOCK_CLOEXEC = 0o2000000
// #endregion types

// Protocols, /etc/protocols
export const IPPROTO_IP = 0
export const IPPROTO_ICMP = 1
export const IPPROTO_TCP = 6
export const IPPROTO_UDP = 17
export const IPPROTO_IPV6 = 41
export const IPPROTO_RAW = 255

/** The default of net.core.somaxconn, to which listen cuts a longer backlog. listen(2) */
export const SOMAXCONN = 4096

// How to shut down, shutdown(2)
export const SHUT_RD = 0
export const SHUT_WR = 1
export const SHUT_RDWR = 2

// Flags of send and recv
export const MSG_OOB = 0x1
export const MSG_PEEK = 0x2
export const MSG_CTRUNC = 0x8
export const MSG_TRUNC = 0x20
export const MSG_DONTWAIT = 0x40
export const MSG_WAITALL = 0x100
export const MSG_ERRQUEUE = 0x2000
export const MSG_NOSIGNAL = 0x4000
export const MSG_MORE = 0x8000
export const MSG_FASTOPEN = 0x20000000
export const MSG_CMSG_CLOEXEC = 0x40000000

// Options at the level of the socket, socket(7)
export const SOL_SOCKET = 1
export const SO_REUSEADDR = 2
export const SO_TYPE = 3
export const SO_ERROR = 4
export const SO_BROADCAST = 6
export const SO_SNDBUF = 7
export const SO_RCVBUF = 8
export const SO_KEEPALIVE = 9
export const SO_LINGER = 13
export const SO_REUSEPORT = 15
export const SO_PEERCRED = 17
export const SO_RCVLOWAT = 18
export const SO_SNDLOWAT = 19
export const SO_RCVTIMEO = 20
export const SO_SNDTIMEO = 21
export const SO_ACCEPTCONN = 30
export const SO_PROTOCOL = 38
export const SO_DOMAIN = 39
export const SO_MEMINFO = 55

// Control messages between sockets of AF_UNIX, unix(7)
export const SCM_RIGHTS = 1

// Options of TCP, tcp(7)
export const TCP_NODELAY = 1
export const TCP_MAXSEG = 2
export const TCP_CORK = 3
export const TCP_KEEPIDLE = 4
export const TCP_KEEPINTVL = 5
export const TCP_KEEPCNT = 6
export const TCP_SYNCNT = 7
export const TCP_DEFER_ACCEPT = 9
export const TCP_INFO = 11
export const TCP_QUICKACK = 12
export const TCP_USER_TIMEOUT = 18
export const TCP_FASTOPEN = 23

// Options of IP, ip(7) and ipv6(7)
export const IP_TOS = 1
export const IP_TTL = 2
export const IP_HDRINCL = 3
export const IP_OPTIONS = 4
export const IP_PKTINFO = 8
export const IP_MTU_DISCOVER = 10
export const IP_RECVERR = 11
export const IP_MTU = 14
export const IP_MINTTL = 21
export const IP_BIND_ADDRESS_NO_PORT = 24
export const IP_MULTICAST_IF = 32
export const IP_MULTICAST_TTL = 33
export const IP_MULTICAST_LOOP = 34
export const IP_ADD_MEMBERSHIP = 35
export const IP_DROP_MEMBERSHIP = 36
export const IP_MULTICAST_ALL = 49
export const IPV6_V6ONLY = 26
export const IPV6_RECVPKTINFO = 49
export const IPV6_PKTINFO = 50

// Values of IP_MTU_DISCOVER: fragment, fragment unless the path is known, never fragment
export const IP_PMTUDISC_DONT = 0
export const IP_PMTUDISC_WANT = 1
export const IP_PMTUDISC_DO = 2

// fcntl(2) and ioctl(2)
export const F_DUPFD = 0
export const F_GETFD = 1
export const F_SETFD = 2
export const F_GETFL = 3
export const F_SETFL = 4
export const F_SETOWN = 8
export const F_GETOWN = 9
export const FD_CLOEXEC = 1
export const O_NONBLOCK = 0o4000
export const O_ASYNC = 0o20000
export const FIONREAD = 0x541b
export const FIONBIO = 0x5421
export const TIOCOUTQ = 0x5411
export const SIOCOUTQNSD = 0x894b

// Packets, packet(7), and the flags of a TCP segment, RFC 9293
export const ETH_P_IP = 0x0800
export const TH_FIN = 0x01
export const TH_SYN = 0x02
export const TH_RST = 0x04
export const TH_PUSH = 0x08
export const TH_ACK = 0x10
export const TH_URG = 0x20

// Interfaces, netdevice(7)
export const SIOCGIFFLAGS = 0x8913
export const SIOCSIFFLAGS = 0x8914
export const SIOCSIFADDR = 0x8916
export const SIOCSIFNETMASK = 0x891c
export const SIOCSIFMTU = 0x8922
export const IFF_UP = 0x1
export const IFF_NOARP = 0x80

// Namespaces, unshare(2)
export const CLONE_NEWNET = 0x40000000

// Events, poll(2) and epoll(7)
export const POLLIN = 0x1
export const POLLPRI = 0x2
export const POLLOUT = 0x4
export const POLLERR = 0x8
export const POLLHUP = 0x10
export const POLLNVAL = 0x20
export const POLLRDHUP = 0x2000
export const EPOLLIN = 0x1
export const EPOLLPRI = 0x2
export const EPOLLOUT = 0x4
export const EPOLLERR = 0x8
export const EPOLLHUP = 0x10
export const EPOLLRDHUP = 0x2000
export const EPOLLEXCLUSIVE = 0x10000000
export const EPOLLONESHOT = 0x40000000
export const EPOLLET = 0x80000000
export const EPOLL_CLOEXEC = 0o2000000
export const EPOLL_CTL_ADD = 1
export const EPOLL_CTL_DEL = 2
export const EPOLL_CTL_MOD = 3

// mmap(2)
export const PROT_READ = 0x1
export const PROT_WRITE = 0x2
export const MAP_SHARED = 0x1
export const MAP_PRIVATE = 0x2
export const MAP_ANONYMOUS = 0x20
export const MAP_POPULATE = 0x8000

// io_uring_enter(2)
export const IORING_ENTER_GETEVENTS = 0x1

// waitpid(2), getrlimit(2)
export const WNOHANG = 1
export const RLIMIT_NPROC = 6
export const RLIMIT_NOFILE = 7

// prctl(2), setitimer(2), lockf(3), flock(2), sigprocmask(2)
export const PR_SET_PDEATHSIG = 1
export const ITIMER_REAL = 0
export const F_ULOCK = 0
export const F_LOCK = 1
export const F_TLOCK = 2
export const F_TEST = 3
export const LOCK_SH = 1
export const LOCK_EX = 2
export const LOCK_NB = 4
export const LOCK_UN = 8
export const SIG_BLOCK = 0
export const SIG_UNBLOCK = 1
export const SIG_SETMASK = 2

// getaddrinfo(3)
export const AI_PASSIVE = 0x1
export const AI_CANONNAME = 0x2
export const AI_NUMERICHOST = 0x4
export const AI_ADDRCONFIG = 0x20
export const AI_NUMERICSERV = 0x400

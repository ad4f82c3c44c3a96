# The framework of page 3.1 in CPython, for bench/lines.ts: the same roles, and the same short cuts. A call is tried before its task
# waits; after a recv that has left nothing behind the wait comes first; a descriptor stays registered as long as its events are wanted.
# `byte` makes an event for each byte, as the recipe's readline does; `byte-once` one for each line, as page 3.1's does. With `recipe` there
# are no short cuts: recv and send wait first, and the descriptor is given to the poller for that one wait.
# usage: python3 lines.py select|epoll byte|byte-once|buffered PORT [recipe]

import select
import sys
from collections import deque
from socket import AF_INET, IPPROTO_TCP, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, TCP_NODELAY, socket

READ, WRITE = 1, 4  # EPOLLIN, EPOLLOUT
CREDIT = 256
BUFFER_SIZE = 65536


class Selector:
    def __init__(self):
        self.reading, self.writing = set(), set()

    def watch(self, fd, events):
        (self.reading.add if events & READ else self.reading.discard)(fd)
        (self.writing.add if events & WRITE else self.writing.discard)(fd)

    def wait(self, timeout):
        rset, wset, _ = select.select(self.reading, self.writing, (), timeout)
        return [(fd, READ) for fd in rset] + [(fd, WRITE) for fd in wset]


class Epoll:
    def __init__(self):
        self.epoll = select.epoll()
        self.watched = {}

    def watch(self, fd, events):
        if events == 0:
            self.epoll.unregister(fd)
            del self.watched[fd]
            return
        (self.epoll.modify if fd in self.watched else self.epoll.register)(fd, events)
        self.watched[fd] = events

    def wait(self, timeout):
        return self.epoll.poll(timeout, 1024)


class Scheduler:
    def __init__(self, poller, once=0):
        self.poller = poller
        self.once = once  # events that are watched for one wait only
        self.numtasks = 0
        self.ready = deque()
        self.readers, self.writers, self.watched = {}, {}, {}
        self.credit = 0

    def new(self, task):
        self.ready.append(task)
        self.numtasks += 1

    def run(self):
        ready = self.ready
        while self.numtasks:
            for _ in range(len(ready)):
                task = ready.popleft()
                self.credit = CREDIT
                try:
                    event = task.send(None)
                    if self.credit < 0:
                        ready.append(task)
                    else:
                        event.handle_yield(self, task)
                except StopIteration:
                    self.numtasks -= 1
            for fd, events in self.poller.wait(0 if ready else None):
                unwanted = 0
                if events & ~WRITE:
                    task = self.readers.pop(fd, None)
                    if task is None:
                        unwanted |= READ
                    else:
                        ready.append(task)
                        unwanted |= self.once & READ
                if events & ~READ:
                    task = self.writers.pop(fd, None)
                    if task is None:
                        unwanted |= WRITE
                    else:
                        ready.append(task)
                        unwanted |= self.once & WRITE
                if unwanted & self.watched[fd]:
                    self.watch(fd, self.watched[fd] & ~unwanted)

    def watch(self, fd, events):
        self.watched[fd] = events
        self.poller.watch(fd, events)

    def read_wait(self, fd, task):
        watched = self.watched.get(fd, 0)
        if not watched & READ:
            self.watch(fd, watched | READ)
        self.readers[fd] = task

    def write_wait(self, fd, task):
        watched = self.watched.get(fd, 0)
        if not watched & WRITE:
            self.watch(fd, watched | WRITE)
        self.writers[fd] = task

    def forget(self, fd):
        if self.watched.pop(fd, 0):
            self.poller.watch(fd, 0)


class ReadSocket:
    __slots__ = ('socket', 'nbytes')

    def __init__(self, socket, nbytes):
        self.socket, self.nbytes = socket, nbytes

    def __iter__(self):
        socket, sched = self.socket, self.socket.sched
        if socket.drained:
            socket.drained = False
            yield self
        while True:
            sched.credit -= 1
            if sched.credit >= 0:
                try:
                    data = socket.sock.recv(self.nbytes)
                    socket.drained = 0 < len(data) < self.nbytes
                    return data
                except BlockingIOError:
                    pass
            yield self

    def handle_yield(self, sched, task):
        sched.read_wait(self.socket.fd, task)


class WriteSocket:
    __slots__ = ('socket', 'data')

    def __init__(self, socket, data):
        self.socket, self.data = socket, data

    def __iter__(self):
        socket, sched = self.socket, self.socket.sched
        while True:
            sched.credit -= 1
            if sched.credit >= 0:
                try:
                    return socket.sock.send(self.data)
                except BlockingIOError:
                    pass
            yield self

    def handle_yield(self, sched, task):
        sched.write_wait(self.socket.fd, task)


def recv_after_wait(self):
    yield self
    return self.socket.sock.recv(self.nbytes)


def send_after_wait(self):
    yield self
    return self.socket.sock.send(self.data)


class AcceptSocket:
    def __init__(self, socket):
        self.socket = socket

    def __iter__(self):
        while True:
            try:
                return self.socket.sock.accept()
            except BlockingIOError:
                yield self

    def handle_yield(self, sched, task):
        sched.read_wait(self.socket.fd, task)


class Socket:
    def __init__(self, sched, sock):
        sock.setblocking(False)
        self.sched, self.sock, self.fd, self.drained = sched, sock, sock.fileno(), False

    def recv(self, nbytes):
        return ReadSocket(self, nbytes)

    def send(self, data):
        return WriteSocket(self, data)

    def accept(self):
        return AcceptSocket(self)

    def close(self):
        self.sched.forget(self.fd)
        self.sock.close()


def readline(socket):
    chars = []
    while True:
        char = yield from socket.recv(1)
        if not char:
            break
        chars.append(char)
        if char == b'\n':
            break
    return b''.join(chars)


def readline_once(socket):  # the loop twice: a choice in it would be measured
    chars, event = [], socket.recv(1)
    while True:
        char = yield from event
        if not char:
            break
        chars.append(char)
        if char == b'\n':
            break
    return b''.join(chars)


READLINE = {'byte': readline, 'byte-once': readline_once}


class LineReader:
    def __init__(self, socket):
        self.socket, self.rest = socket, b''

    def buffered(self):
        end = self.rest.find(b'\n') + 1
        return self.take(end) if end > 0 else None

    def readline(self):
        while True:
            line = self.buffered()
            if line is not None:
                return line
            chunk = yield from self.socket.recv(BUFFER_SIZE)
            if not chunk:
                return self.take(len(self.rest))
            self.rest += chunk

    def take(self, end):
        line, self.rest = self.rest[:end], self.rest[end:]
        return line


class Writer:
    def __init__(self, socket):
        self.socket, self.parts = socket, []

    def write(self, data):
        self.parts.append(data)

    def flush(self):
        data, self.parts = b''.join(self.parts), []
        while data:
            nsent = yield from self.socket.send(data)
            data = data[nsent:]


def server_loop(sched, server, readline_unbuffered):
    while True:
        sock, _ = yield from server.accept()
        sched.new(client_handler(Socket(sched, sock), readline_unbuffered))


def client_handler(client, readline_unbuffered):
    lines, replies = LineReader(client), Writer(client)
    try:
        while True:
            line = None if readline_unbuffered else lines.buffered()
            if line is None:
                if replies.parts:
                    yield from replies.flush()
                line = yield from (readline_unbuffered(client) if readline_unbuffered else lines.readline())
            if not line:
                break
            replies.write(b'GOT:')
            replies.write(line)
    except ConnectionError:
        pass
    finally:
        client.close()


if __name__ == '__main__':
    poller, reader, port, *recipe = sys.argv[1:]
    if recipe:
        ReadSocket.__iter__, WriteSocket.__iter__ = recv_after_wait, send_after_wait
    sched = Scheduler(Selector() if poller == 'select' else Epoll(), READ | WRITE if recipe else 0)
    listening = socket(AF_INET, SOCK_STREAM)
    listening.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    listening.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
    listening.bind(('127.0.0.1', int(port)))
    listening.listen(4096)
    print('listening on 127.0.0.1:%d' % listening.getsockname()[1], flush=True)
    sched.new(server_loop(sched, Socket(sched, listening), READLINE.get(reader)))
    sched.run()

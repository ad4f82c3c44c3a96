// What bench/echo.ts compares with: an echo server on epoll, level-triggered, as short as it can be.
// usage: echo PORT
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 1024, SIZE = 65536 };

int main(int argc, char **argv) {
  static struct epoll_event events[EVENTS];
  static char buf[SIZE];
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0)};
  socklen_t length = sizeof addr;
  int on = 1;
  inet_pton(AF_INET, "127.0.0.1", &addr.sin_addr);

  int listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listen_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(listen_fd, (struct sockaddr *)&addr, sizeof addr) < 0 || listen(listen_fd, SOMAXCONN) < 0) {
    perror("bind");
    return 1;
  }
  getsockname(listen_fd, (struct sockaddr *)&addr, &length);
  int epfd = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listen_fd};
  epoll_ctl(epfd, EPOLL_CTL_ADD, listen_fd, &event);
  printf("listening on 127.0.0.1:%d\n", ntohs(addr.sin_port));
  fflush(stdout);

  for (;;) {
    int count = epoll_wait(epfd, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd == listen_fd) {
        int conn_fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK);
        if (conn_fd < 0) continue;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = conn_fd};
        epoll_ctl(epfd, EPOLL_CTL_ADD, conn_fd, &event);
        continue;
      }
      ssize_t n = recv(fd, buf, SIZE, 0);
      // The load reads what it is sent, so that a message always fits.
      if (n <= 0 || send(fd, buf, n, MSG_NOSIGNAL) != n) close(fd);
    }
  }
}

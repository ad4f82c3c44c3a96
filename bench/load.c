// The load of bench/echo.ts and bench/lines.ts: connections that each send lines of 64 bytes, wait for the answers, and send again.
// usage: load PORT CONNECTIONS MILLISECONDS GREETING LINES PREFIX
// GREETING bytes come before the first answer. LINES lines are sent at once; the answer to one is PREFIX bytes and the line.
// Prints how many lines were answered in that time, after a tenth of it to warm up, and how many microseconds it took.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 64, PREFIX_MOST = 16, LINES_MOST = 64, EVENTS = 1024, MOST = 8192 };

static size_t received[MOST]; // of the answers that are on their way, by descriptor
static char message[LINES_MOST * LINE], buf[LINES_MOST * (PREFIX_MOST + LINE)];

static double now(void) { // in microseconds
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static void fail(const char *call) {
  perror(call);
  exit(1);
}

int main(int argc, char **argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: load PORT CONNECTIONS MILLISECONDS GREETING LINES PREFIX\n");
    return 2;
  }
  int connections = atoi(argv[2]);
  double duration = atof(argv[3]) * 1e3;
  size_t greeting = strtoul(argv[4], NULL, 10), lines = strtoul(argv[5], NULL, 10), prefix = strtoul(argv[6], NULL, 10);
  if (greeting > sizeof buf || lines < 1 || lines > LINES_MOST || prefix > PREFIX_MOST) return 2;
  size_t sent = lines * LINE, due = lines * (prefix + LINE);
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  inet_pton(AF_INET, "127.0.0.1", &addr.sin_addr);
  memset(message, 'x', sizeof message);
  for (int i = 1; i <= LINES_MOST; i++) message[i * LINE - 1] = '\n';

  int epfd = epoll_create1(0);
  for (int i = 0; i < connections; i++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (fd < 0 || fd >= MOST || connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (greeting > 0 && recv(fd, buf, greeting, MSG_WAITALL) != (ssize_t)greeting) fail("recv");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
    if (send(fd, message, sent, 0) != (ssize_t)sent) fail("send");
  }

  static struct epoll_event events[EVENTS];
  double from = now() + duration / 10, at;
  long answered = 0;
  int warm = 0;
  while ((at = now()) < from + duration) {
    if (!warm && at >= from) {
      warm = 1;
      answered = 0;
      from = at;
    }
    int count = epoll_wait(epfd, events, EVENTS, 100);
    if (count < 0) fail("epoll_wait");
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      ssize_t n = recv(fd, buf, due - received[fd], 0);
      if (n <= 0) fail("recv");
      received[fd] += n;
      if (received[fd] < due) continue;
      received[fd] = 0;
      answered += lines;
      if (send(fd, message, sent, 0) != (ssize_t)sent) fail("send");
    }
  }
  printf("%ld %.0f\n", answered, at - from);
  return 0;
}

// Keeps the core that it runs on awake, and leaves it to whoever wants it: SCHED_IDLE of sched(7).
// usage: taskset -c CORE awake
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

int main(void) {
  prctl(PR_SET_PDEATHSIG, SIGKILL); // it ends with the benchmark, however that ends
  struct sched_param param = {0};
  if (sched_setscheduler(0, SCHED_IDLE, &param) < 0) {
    perror("sched_setscheduler");
    return 1;
  }
  for (;;) {
#if defined(__x86_64__)
    __builtin_ia32_pause(); // a core that shares its parts with this one gets more of them
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
  }
}

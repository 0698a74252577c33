// SPDX-License-Identifier: Apache-2.0

// In C because Swift has neither fork(2) nor prctl(2), and posix_spawn(3) has no attribute for what
// the child must do between the two.

#define _GNU_SOURCE
#include "skiff_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Of close_range(2), since Linux 5.11.
#define MARK_CLOSE_ON_EXEC (1U << 2)

// Between fork and exec of a process with threads: async-signal-safe calls only.
static void become(const char *file, char *const arguments[], pid_t parent, int report) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have ended before the line above.
  if (getppid() != parent) _exit(127);
  setpgid(0, 0);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
#ifdef SYS_close_range
  syscall(SYS_close_range, 3U, ~0U, MARK_CLOSE_ON_EXEC);
#endif
  execvp(file, arguments);
  int error = errno;
  (void)!write(report, &error, sizeof error);
  _exit(127);
}

pid_t skiff_spawn(const char *file, char *const arguments[]) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return -errno;
  // No handler of ours may run in the child before it is reset there.
  sigset_t all, former;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &former);
  pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0) become(file, arguments, parent, report[1]);
  int error = child < 0 ? errno : 0;
  pthread_sigmask(SIG_SETMASK, &former, NULL);
  close(report[1]);
  if (child > 0) {
    // Nothing comes where exec succeeded: the child's end closes.
    ssize_t count;
    do count = read(report[0], &error, sizeof error);
    while (count < 0 && errno == EINTR);
    if (count == sizeof error) waitpid(child, NULL, 0);
    else error = 0;
  }
  close(report[0]);
  return error == 0 ? child : -error;
}

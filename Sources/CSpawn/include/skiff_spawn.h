// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <sys/types.h>

/// Starts a program that ends with the thread that called: the kernel kills it (PR_SET_PDEATHSIG) when
/// that thread ends, in whatever way the process ends.
///
/// The program is the leader of a process group, so that what a terminal sends to ours (control-C)
/// does not reach it. It inherits standard input, output and error and no other descriptor.
///
/// `file` is looked for in PATH if it has no slash. Returns the process id, or a negated errno.
pid_t skiff_spawn(const char *file, char *const arguments[]);

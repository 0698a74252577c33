// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// Runs what waits for the disk, one piece at a time, on a thread of its own.
///
/// fsync(2) may take seconds on a busy disk; on the shared threads it would hold up the relay. What
/// its actors do in one piece is also atomic for all of them, such as "rename and remember".
final class DiskExecutor: SerialExecutor {
  private let queue = DispatchQueue(label: "skiff.modules")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// A thread for work that waits for the disk, so that none of those that serve proxies does.
final class StoreExecutor: SerialExecutor {
  private let queue = DispatchQueue(label: "skiff.store")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }
}

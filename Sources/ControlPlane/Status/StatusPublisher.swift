// SPDX-License-Identifier: Apache-2.0

import APIServer
import ConfigStore
import MeshModel
import ObjectStore
import Prometheus
import ServiceLifecycle
import XDSServer

/// Measures the objects of the API whenever something may have moved, and has it written to them.
///
/// What comes while it measures, or rests, is measured once: measuring stays a small part of a core,
/// whatever the proxies do.
struct StatusPublisher: ServiceLifecycle.Service {
  let watch: StatusWatch
  let writer: ObjectStatusWriter
  /// Of the API.
  let objects: any Store
  let metrics: StatusMetrics
  let clock: ContinuousClock

  /// Between two measurements.
  private static let pause = Duration.milliseconds(200)
  /// It rests so many times as long as it measured.
  private static let rest = 10
  private static let expiry = Duration.seconds(60)

  func run() async throws {
    let signals = watch.ads.progressSignals()
    let problems = await watch.store.changes()
    let writes = await objects.signals()
    let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        group.addTask { for await _ in signals { wake.yield() } }
        group.addTask { for await _ in problems { wake.yield() } }
        group.addTask {
          for await _ in writes where await !writer.isOwn(objects.revision()) { wake.yield() }
        }
        group.addTask { await expire() }
        wake.yield()
        for await _ in wakes {
          let began = clock.now
          let measured = await measure()
          let pause = max(Self.pause, (clock.now - began) * Self.rest)
          if let due = await write(measured, at: began) {
            group.addTask {
              try? await clock.sleep(until: due)
              wake.yield()
            }
          }
          try? await clock.sleep(for: pause)
        }
        group.cancelAll()
      }
    }
  }

  private func expire() async {
    repeat {
      _ = await writer.expireEvents()
      try? await clock.sleep(for: Self.expiry)
    } while !Task.isCancelled
  }

  /// Measures every object whose stored form is the one that is served.
  private func measure() async -> [(subject: StatusSubject, status: MeasuredStatus)] {
    // In this order: what was stored was in force before, and what is in force may be served.
    let subjects = await writer.subjects()
    let forms = await watch.store.forms()
    guard !subjects.isEmpty, let revision = watch.ads.mesh?.revision else { return [] }
    let statuses = await watch.statuses(of: subjects.map(\.ref))
    return zip(subjects, statuses).compactMap { subject, status in
      guard status.isSettled, isServed(subject, forms[subject.ref], status, at: revision) else {
        return nil
      }
      return (subject, status.measured)
    }
  }

  /// Writes what changed.
  ///
  /// - Returns: when to look again, though nothing may move until then.
  private func write(
    _ measured: [(subject: StatusSubject, status: MeasuredStatus)],
    at instant: ContinuousClock.Instant
  ) async -> ContinuousClock.Instant? {
    let outcome = await writer.write(measured, at: instant)
    metrics.statuses.increment(by: UInt64(outcome.statuses))
    metrics.events.increment(by: UInt64(outcome.events))
    return outcome.due
  }

  /// Whether what is served is what is stored; an object that is not in force is served nowhere.
  private func isServed(
    _ subject: StatusSubject, _ form: ConfigStore.Form?, _ status: ObjectStatus,
    at revision: UInt64
  ) -> Bool {
    guard let form else { return status.generation == nil }
    // A file counts its generations anew in each process.
    let isSame =
      subject.owner == .directory
      || (form.uid == subject.uid && form.generation == subject.generation)
    return isSame && form.since <= revision
  }
}

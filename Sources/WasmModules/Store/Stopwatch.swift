// SPDX-License-Identifier: Apache-2.0

/// How long something takes by a clock whose instants nobody else needs to know.
struct Stopwatch: Sendable {
  private let reading: @Sendable () -> Duration

  init(_ clock: some Clock<Duration>) {
    let start = clock.now
    reading = { start.duration(to: clock.now) }
  }

  var elapsed: Duration { reading() }
}

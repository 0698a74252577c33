// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// Fetching: one flight for each thing that is wanted.
extension ModuleLibrary {
  /// What a flight brought, and the size of what was downloaded for it; 0 if nothing was.
  private typealias Cargo = (found: ModuleIndex.Found, bytes: Int)

  /// Joins a flight or begins one, and waits for it.
  func fetched(_ lookup: ModuleLookup, _ request: ModuleRequest) async throws(ModuleError) -> Module
  {
    let key = Flight.Key(lookup)
    let number = state.withLock { $0.nextNumber() }
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        join(lookup, request, key, number, waiter)
        // The handler below may have run before there was a waiter.
        if Task.isCancelled { leave(key, number) }
      }
    } onCancel: {
      leave(key, number)
    }
    return try result.get()
  }

  private enum Admission {
    case waits
    case begins
    case found(Module)
    case closed
  }

  private func join(
    _ lookup: ModuleLookup, _ request: ModuleRequest, _ key: Flight.Key, _ number: Int,
    _ waiter: Flight.Waiter
  ) {
    let admission = state.withLock { state -> Admission in
      guard !state.isClosed else { return .closed }
      // A flight may have landed since the last look.
      if let found = state.index.find(lookup), state.index.held[found.content]?.checked != nil {
        _ = state.index.use(found, by: lookup.plugin, at: now())
        state.isDirty = true
        return .found(module(found))
      }
      var flights = state.flights[key] ?? []
      let index = flights.firstIndex { $0.serves(lookup) } ?? (flights.count == 2 ? 1 : nil)
      if let index {
        flights[index].join(lookup, number, waiter)
      } else {
        flights.append(
          Flight(
            timeout: request.timeout, secret: request.pullSecret, lookups: [lookup],
            waiters: [number: waiter]))
      }
      state.flights[key] = flights
      return index == nil && flights.count == 1 ? .begins : .waits
    }
    switch admission {
    case .waits: break
    case .begins: launch.yield(key)
    case .found(let module): waiter.resume(returning: .success(module))
    case .closed: waiter.resume(returning: .failure(Self.closed(lookup.location)))
    }
  }

  private func leave(_ key: Flight.Key, _ number: Int) {
    let waiter = state.withLock { state -> Flight.Waiter? in
      for index in (state.flights[key] ?? []).indices {
        if let waiter = state.flights[key]?[index].waiters.removeValue(forKey: number) {
          return waiter
        }
      }
      return nil
    }
    let error = ModuleError(.fetchFailure, "the request for the module was cancelled")
    waiter?.resume(returning: .failure(error))
  }

  /// Makes the first flight of a key, tells all who wait for it, and launches the next.
  func fly(_ key: Flight.Key) async {
    guard let flight = state.withLock({ $0.flights[key]?.first }), let lookup = flight.lookups.first
    else { return }
    let stopwatch = Stopwatch(clock)
    let result: Result<Cargo, ModuleError>
    do throws(ModuleError) {
      result = .success(try await fetch(flight, lookup))
    } catch {
      result = .failure(error)
    }
    let time = now()
    let landed = state.withLock { state in
      guard case .success(let cargo) = result, let landed = state.flights[key]?.first else {
        return false
      }
      // Those who come from here on find it in the index.
      for lookup in landed.lookups {
        state.index.record(cargo.found, for: lookup)
        _ = state.index.use(cargo.found, by: lookup.plugin, at: time)
      }
      state.isDirty = true
      return true
    }
    // Told only when a restart would know it too.
    if landed { await saveIndex() }
    let (waiters, plugins, hasNext) = state.withLock { state in
      guard var flights = state.flights[key], !flights.isEmpty else {
        return ([Flight.Waiter](), [String](), false)
      }
      let landed = flights.removeFirst()
      state.flights[key] = flights.isEmpty ? nil : flights
      return (Array(landed.waiters.values), Self.plugins(landed), !flights.isEmpty)
    }
    switch result {
    case .success(let cargo) where cargo.bytes == 0: break
    case .success(let cargo):
      onEvent(
        .fetched(plugins: plugins, failure: nil, bytes: cargo.bytes, duration: stopwatch.elapsed))
    case .failure(let error):
      onEvent(
        .fetched(plugins: plugins, failure: error.kind, bytes: 0, duration: stopwatch.elapsed))
    }
    let answer = result.map { module($0.found) }
    for waiter in waiters { waiter.resume(returning: answer) }
    if hasNext { launch.yield(key) }
  }

  private func fetch(
    _ flight: Flight, _ lookup: ModuleLookup
  ) async throws(ModuleError) -> Cargo {
    var fetch = ModuleFetch(
      location: lookup.location, expected: lookup.expected, timeout: flight.timeout)
    if case .oci = lookup.location, let secret = flight.secret {
      fetch.credentials = try RegistryCredentials(dockerConfig: secret.revealed)
    }
    if case .file(let path) = lookup.location {
      return try await download(lookup) { incoming throws(ModuleError) in
        try await incoming.copy(path)
      }
    }
    let resolved = try await source.resolve(fetch)
    if let resolved, let expected = lookup.expected, resolved != expected {
      throw mismatch(lookup, expected: expected, found: resolved)
    }
    guard let known = resolved ?? lookup.expected else {
      return try await download(lookup, fetch, resolved)
    }
    // Another flight, by another URL or secret, may bring the same. If it fails, ours may not.
    var version = ModuleIndex.Version(name: "", checksum: known)
    if case .oci = lookup.location { version.name = lookup.location.moduleName }
    var isFirstLook = true
    while true {
      if let module = await checked({ $0.find(known, for: lookup) }) {
        if resolved != nil, isFirstLook { onEvent(.lookup(isHit: true)) }
        return (ModuleIndex.Found(content: module.digest, checksum: known), 0)
      }
      if resolved != nil, isFirstLook { onEvent(.lookup(isHit: false)) }
      isFirstLook = false
      if await begin(version) { break }
    }
    defer { end(version) }
    let cargo = try await download(lookup, fetch, resolved)
    // Before the end, after which those who waited look for it.
    state.withLock { $0.index.record(cargo.found, for: lookup) }
    return cargo
  }

  private func download(
    _ lookup: ModuleLookup, _ fetch: ModuleFetch, _ resolved: ModuleDigest?
  ) async throws(ModuleError) -> Cargo {
    try await download(lookup) { [source] incoming throws(ModuleError) in
      try await source.download(fetch, resolved: resolved, to: incoming)
    }
  }

  /// Brings a module to the disk and into the index, if it is the one that was asked for.
  private func download(
    _ lookup: ModuleLookup,
    by transfer: (IncomingModule) async throws(ModuleError) -> ModuleDigest
  ) async throws(ModuleError) -> Cargo {
    let number = state.withLock { $0.nextNumber() }
    let incoming = IncomingModule(lookup.location, number: number, files: files, disk: disk)
    do throws(ModuleError) {
      let checksum = try await transfer(incoming)
      if let expected = lookup.expected, expected != checksum {
        throw mismatch(lookup, expected: expected, found: checksum)
      }
      let size = await incoming.size
      let content = try await incoming.commit(
        unless: { content in
          let time = self.now()
          let checked = self.state.withLock { state in
            state.index.held[content]?.lastUse = time
            return state.index.held[content]?.checked
          }
          return checked != nil && FileStamp(of: self.files.path(of: content)) == checked
        },
        stored: { content, stamp in
          let time = self.now()
          self.state.withLock { state in
            state.index.held[content] = ModuleIndex.Held(
              size: stamp.size, lastUse: time, checked: stamp)
            state.isDirty = true
          }
        })
      await makeRoom()
      return (ModuleIndex.Found(content: content, checksum: checksum), size)
    } catch {
      await incoming.discard()
      throw error
    }
  }

  /// Takes the right to download, or waits until whoever has it is done; false after that.
  private func begin(_ version: ModuleIndex.Version) async -> Bool {
    if state.withLock({ state in
      guard state.downloads[version] == nil else { return false }
      state.downloads[version] = []
      return true
    }) {
      return true
    }
    await withCheckedContinuation { waiter in
      let isOver = state.withLock { state in
        state.downloads[version]?.append(waiter)
        return state.downloads[version] == nil
      }
      if isOver { waiter.resume() }
    }
    return false
  }

  private func end(_ version: ModuleIndex.Version) {
    let waiters = state.withLock { $0.downloads.removeValue(forKey: version) }
    for waiter in waiters ?? [] { waiter.resume() }
  }

  /// Refuses requests from now on, and all that no flight will answer any more.
  func close() {
    let flights = state.withLock { state in
      defer { state.flights = [:] }
      state.isClosed = true
      return state.flights.values.joined().map { $0 }
    }
    for flight in flights {
      guard let location = flight.lookups.first?.location else { continue }
      for waiter in flight.waiters.values {
        waiter.resume(returning: .failure(Self.closed(location)))
      }
    }
  }

  private static func plugins(_ flight: Flight) -> [String] {
    Set(flight.lookups.map(\.plugin)).sorted()
  }

  private static func closed(_ location: ModuleLocation) -> ModuleError {
    ModuleError(.fetchFailure, "\(location) is not fetched: the agent is about to end")
  }

  private func mismatch(
    _ lookup: ModuleLookup, expected: ModuleDigest, found: ModuleDigest
  ) -> ModuleError {
    ModuleError(
      .checksumMismatched, "\(lookup.location): expected \(expected), found \(found)")
  }
}

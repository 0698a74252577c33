// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Tells that something in some directories may have changed, from inotify(7).
///
/// It only says "look": what changed is found by a scan, so an overflow of the kernel's queue or an
/// event that means nothing costs a scan and no more. Where inotify is not to be had (its limits are
/// per user), the slow re-scan remains. A thread of its own blocks in the kernel until events come.
final class DirectoryWatch: Sendable {
  /// What can change what a scan finds: files that were written and closed, names that came and went.
  ///
  /// A write that goes on is not among them: it would be read half done.
  private static let mask = UInt32(
    IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_DELETE_SELF
      | IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR)

  private struct State {
    var watches: [String: Int32] = [:]
    /// Names in the parent of a root that matter: a root that vanishes and comes back.
    var rootNames: [Int32: Set<String>] = [:]
    /// Of the kernel's queue; nil where there is none, and once closed.
    var events: Int32?
  }

  private let parents: [String: Set<String>]
  private let state: Mutex<State>
  /// A pipe whose closed writing end tells the thread to end.
  private let end: (read: Int32, write: Int32)
  private let onChange: @Sendable () -> Void

  /// Begins without directories; `update` names them.
  init(roots: [String], onChange: @escaping @Sendable () -> Void) {
    self.onChange = onChange
    parents = roots.reduce(into: [:]) { parents, root in
      let path = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
      guard let slash = path.lastIndex(of: "/") else {
        parents[".", default: []].insert(path)
        return
      }
      parents[slash == path.startIndex ? "/" : String(path[..<slash]), default: []]
        .insert(String(path[path.index(after: slash)...]))
    }
    let events = inotify_init1(Int32(IN_CLOEXEC))
    var ends: [Int32] = [-1, -1]
    let hasPipe = pipe(&ends) == 0
    for end in ends where hasPipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    end = (ends[0], ends[1])
    state = Mutex(State(events: events >= 0 && hasPipe ? events : nil))
    if events >= 0, hasPipe { startThread(events) }
  }

  /// Watches these directories and no others; whether new ones were among them.
  func update(_ directories: [String]) -> Bool {
    state.withLock { state in
      guard let events = state.events else { return false }
      var hasNew = false
      let wanted = Set(directories).union(parents.keys)
      for (path, watch) in state.watches where !wanted.contains(path) {
        inotify_rm_watch(events, watch)
        state.watches[path] = nil
      }
      for path in wanted {
        // Adding again is cheap and renews a watch whose directory was replaced under its name.
        let watch = inotify_add_watch(events, path, Self.mask)
        guard watch >= 0 else {
          state.watches[path] = nil
          continue
        }
        if state.watches.updateValue(watch, forKey: path) != watch { hasNew = true }
      }
      state.rootNames = [:]
      let watched = Set(directories)
      for (path, names) in parents where !watched.contains(path) {
        if let watch = state.watches[path] { state.rootNames[watch] = names }
      }
      return hasNew
    }
  }

  /// Ends the watch; nothing is told any more once its thread has noticed.
  func close() {
    let isOpen = state.withLock { state in
      defer { state.events = nil }
      return state.events != nil
    }
    if isOpen { _ = Glibc.close(end.write) }
  }

  private func startThread(_ events: Int32) {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(ThreadStart(watch: self, events: events)).toOpaque()
    let result = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        let start = Unmanaged<ThreadStart>.fromOpaque(context).takeRetainedValue()
        start.watch.read(start.events)
        return nil
      }, context)
    if result == 0 {
      pthread_detach(thread)
    } else {
      Unmanaged<ThreadStart>.fromOpaque(context).release()
      close()
      _ = Glibc.close(events)
      _ = Glibc.close(end.read)
    }
  }

  private final class ThreadStart: Sendable {
    let watch: DirectoryWatch
    let events: Int32
    init(watch: DirectoryWatch, events: Int32) {
      self.watch = watch
      self.events = events
    }
  }

  /// The thread: waits for events until the end is signalled.
  private func read(_ events: Int32) {
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    var descriptors = [
      pollfd(fd: events, events: Int16(POLLIN), revents: 0),
      pollfd(fd: end.read, events: Int16(POLLIN), revents: 0),
    ]
    while true {
      let ready = poll(&descriptors, 2, -1)
      if ready < 0, errno == EINTR { continue }
      guard ready > 0, descriptors[1].revents == 0 else { break }
      let count = buffer.withUnsafeMutableBytes { Glibc.read(events, $0.baseAddress, $0.count) }
      guard count > 0 else { break }
      if matters(buffer[..<count]) { onChange() }
    }
    close()
    _ = Glibc.close(events)
    _ = Glibc.close(end.read)
  }

  /// Whether some of the events can change what a scan finds.
  private func matters(_ events: ArraySlice<UInt8>) -> Bool {
    let rootNames = state.withLock { $0.rootNames }
    return events.withUnsafeBytes { events in
      var offset = 0
      // struct inotify_event: wd, mask, cookie, len, and len bytes of name.
      while offset + 16 <= events.count {
        let watch = events.loadUnaligned(fromByteOffset: offset, as: Int32.self)
        let length = Int(events.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
        guard let names = rootNames[watch] else { return true }
        let name = events[(offset + 16)..<min(offset + 16 + length, events.count)]
        if names.contains(String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)) { return true }
        offset += 16 + length
      }
      return false
    }
  }
}

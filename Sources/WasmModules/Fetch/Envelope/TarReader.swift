// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Finds the module's file in a tar archive and gives its bytes; the rest is passed over.
final class TarReader: EnvelopeLayer {
  /// Which file is meant.
  enum Choice: Hashable {
    /// The first regular file that is a Wasm module or an envelope again.
    ///
    /// Istio takes the first file, whatever it is. A README before the module does no harm here.
    case firstModule
    /// The first file of this name, in any directory: what the layer of an image holds.
    case named(String)
  }

  private enum State {
    case header
    /// What a name or a pax record is made of.
    case metadata(TarHeader)
    /// The first bytes of a file that may be the one.
    case candidate
    case chosen
    /// Content, if it is not wanted, and padding.
    case skipping
    case done
  }

  /// A path or its records are never longer; more is passed over.
  private static let metadataLimit = 64 << 10
  /// So many names are told if none is the one.
  private static let toldNames = 5

  private let choice: Choice
  private var state = State.header
  private var input = ByteBuffer()
  /// Bytes of the current content that are still to come, and of its padding.
  private var remaining = 0
  private var padding = 0
  private var longName: String?
  private var extendedSize: Int?
  private var wasChosen = false
  private var sawEnd = false
  private var names: [String] = []

  init(choosing choice: Choice) { self.choice = choice }

  func push(_ bytes: ByteBuffer) {
    var joined = input.slice()  // what is left of the former bytes: part of a header at most
    input = bytes
    guard joined.readableBytes > 0 else { return }
    joined.writeImmutableBuffer(bytes)
    input = joined
  }

  func pull() throws(ModuleError) -> ByteBuffer? {
    while true {
      switch state {
      case .header:
        guard let block = input.readBytes(length: TarHeader.size) else { return nil }
        try begin(TarHeader(block[...]))
      case .metadata(let header):
        guard let content = input.readBytes(length: remaining) else { return nil }
        remaining = 0
        note(content, of: header)
        state = .skipping
      case .candidate:
        let enough = min(remaining, EnvelopeFormat.decisive)
        guard input.readableBytes >= enough,
          let head = input.getSlice(at: input.readerIndex, length: enough)
        else { return nil }
        let format = EnvelopeFormat(head, isWhole: true)
        state = format == .other ? .skipping : .chosen
        wasChosen = format != .other
      case .chosen:
        guard remaining > 0 else {
          state = .skipping
          continue
        }
        guard let bytes = input.readSlice(length: min(remaining, input.readableBytes)),
          bytes.readableBytes > 0
        else { return nil }
        remaining -= bytes.readableBytes
        return bytes
      case .skipping:
        let count = min(remaining + padding, input.readableBytes)
        input.moveReaderIndex(forwardBy: count)
        let content = min(count, remaining)
        remaining -= content
        padding -= count - content
        guard remaining + padding == 0 else { return nil }
        state = wasChosen ? .done : .header
      case .done:
        input.clear()
        return nil
      }
    }
  }

  func checkComplete() throws(ModuleError) {
    // An archive may end without its zero blocks; a file may not end within its content.
    if wasChosen, remaining == 0 { return }
    if case .header = state, input.readableBytes == 0 { sawEnd = true }
    guard sawEnd else {
      throw ModuleError(.fetchFailure, "the tar archive ends too early; it was published truncated")
    }
    let wanted = if case .named(let name) = choice { name } else { "Wasm module" }
    let found = names.isEmpty ? "no files" : names.joined(separator: ", ")
    throw ModuleError(.fetchFailure, "the tar archive holds no \(wanted), only \(found)")
  }

  private func begin(_ header: TarHeader?) throws(ModuleError) {
    guard let header else {
      sawEnd = true
      state = .done
      return
    }
    remaining = header.size
    switch header.kind {
    case .longName, .extended:
      let fits = header.size <= Self.metadataLimit
      state = fits ? .metadata(header) : .skipping
    case .other:
      state = .skipping
      forgetMetadata()
    case .file:
      remaining = extendedSize ?? header.size
      let name = longName ?? header.name
      if names.count < Self.toldNames { names.append(name) }
      state = isMeant(name)
      forgetMetadata()
    }
    padding = (TarHeader.size - remaining % TarHeader.size) % TarHeader.size
  }

  private func isMeant(_ name: String) -> State {
    guard case .named(let wanted) = choice else { return .candidate }
    let base = name.split(separator: "/").last.map(String.init)
    wasChosen = base == wanted
    return wasChosen ? .chosen : .skipping
  }

  private func note(_ content: [UInt8], of header: TarHeader) {
    if header.kind == .longName {
      longName = TarHeader.text(content)
    } else {
      longName = TarHeader.record("path", in: content) ?? longName
      extendedSize = TarHeader.record("size", in: content).flatMap(Int.init)
        .flatMap { (0..<(1 << 48)).contains($0) ? $0 : nil }
    }
  }

  private func forgetMetadata() {
    longName = nil
    extendedSize = nil
  }
}

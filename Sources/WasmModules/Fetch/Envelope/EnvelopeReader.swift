// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Opens what is around a module: gzip, zstd and tar, layer in layer, until a Wasm module appears.
///
/// What a layer is, its first bytes say, never a name or a header; so Istio does with gzip and tar
/// (pkg/wasm/httpfetcher.go), and so zstd joins them. Bytes are pushed, and what is inside is
/// pulled in pieces of bounded size: memory stays small whatever the input unpacks to.
struct EnvelopeReader {
  /// Deeper nesting is nobody's build system.
  private static let maximumDepth = 6
  /// What an archive may be larger than the module in it: headers, padding, a README.
  private static let archiveAllowance = 1 << 20

  private let limit: Int
  private let choice: TarReader.Choice
  /// From the outside in; each one's output is the next one's input.
  private var layers: [any EnvelopeLayer] = []
  private var unpacked: [Int] = []
  private var input: ByteBuffer?
  private var hasEnded = false
  /// Output of the innermost layer that is not yet known to be a module.
  private var head = ByteBuffer()
  private var isModule = false
  private var moduleSize = 0

  /// A reader for one module.
  ///
  /// - Parameters:
  ///   - limit: the most bytes that the module may have.
  ///   - choice: which file of an archive is meant.
  init(limit: Int, choosing choice: TarReader.Choice = .firstModule) {
    self.limit = limit
    self.choice = choice
  }

  /// Takes the next bytes; all that could be pulled must have been.
  mutating func push(_ bytes: ByteBuffer) {
    precondition(input == nil, "the former bytes were not pulled")
    if bytes.readableBytes > 0 { input = bytes }
  }

  /// Says that no bytes follow; what is left can still be pulled.
  mutating func end() { hasEnded = true }

  /// The next bytes of the module; nil if more must be pushed, or, after the end, if that was all.
  mutating func pull() throws(ModuleError) -> ByteBuffer? {
    while !isModule {
      switch EnvelopeFormat(head, isWhole: false) {
      case .module: isModule = true
      case .gzip: try open(GzipReader())
      case .zstd: try open(ZstdReader())
      case .tar: try open(TarReader(choosing: choice))
      case .other: throw notAModule()
      case .incomplete:
        guard let more = try output(of: layers.count - 1) else {
          if hasEnded { throw notAModule() }
          return nil
        }
        head.writeImmutableBuffer(more)
      }
    }
    var next: ByteBuffer? = head
    head = ByteBuffer()
    if next?.readableBytes == 0 { next = try output(of: layers.count - 1) }
    guard let bytes = next else {
      if hasEnded { try checkComplete() }
      return nil
    }
    moduleSize += bytes.readableBytes
    if moduleSize > limit { throw ModuleError.tooLarge(limit: limit, what: "the module") }
    return bytes
  }

  private mutating func open(_ layer: any EnvelopeLayer) throws(ModuleError) {
    guard layers.count < Self.maximumDepth else {
      throw ModuleError(
        .fetchFailure, "more than \(Self.maximumDepth) envelopes around each other; unpack it")
    }
    layer.push(head)
    head = ByteBuffer()
    layers.append(layer)
    unpacked.append(0)
  }

  private mutating func output(of index: Int) throws(ModuleError) -> ByteBuffer? {
    guard index >= 0 else {
      defer { input = nil }
      return input
    }
    while true {
      if let bytes = try layers[index].pull() {
        unpacked[index] += bytes.readableBytes
        if unpacked[index] > limit + Self.archiveAllowance {
          throw ModuleError.tooLarge(limit: limit, what: "what it unpacks to")
        }
        return bytes
      }
      guard let bytes = try output(of: index - 1) else { return nil }
      layers[index].push(bytes)
    }
  }

  private func checkComplete() throws(ModuleError) {
    for layer in layers { try layer.checkComplete() }
    guard moduleSize >= 8 else { throw notAModule() }
  }

  private func notAModule() -> ModuleError {
    for layer in layers {
      // A layer that ends too early says more than the little that came out of it.
      do throws(ModuleError) { try layer.checkComplete() } catch { return error }
    }
    return ModuleError(
      .fetchFailure,
      "expected a Wasm module (00 61 73 6d), found \(EnvelopeFormat.describe(head))")
  }
}

/// One kind of envelope, being opened; a class, because codecs hold memory of C libraries.
protocol EnvelopeLayer: AnyObject {
  /// Takes the next bytes; all that could be pulled must have been.
  func push(_ bytes: ByteBuffer)
  /// The next bytes of what is inside, never none; nil if more must be pushed.
  func pull() throws(ModuleError) -> ByteBuffer?
  /// Throws if the envelope's own end was not seen.
  func checkComplete() throws(ModuleError)
}

extension ModuleError {
  /// The refusal of what is above the size limit; Istio cuts it short without a word.
  static func tooLarge(limit: Int, what: String) -> ModuleError {
    ModuleError(
      .downloadFailure,
      "\(what) is larger than the limit of \(limit) bytes (ISTIO_WASM_MAX_BINARY_SIZE_BYTES)")
  }
}

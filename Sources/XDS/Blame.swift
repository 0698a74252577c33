// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Finds out which resources of a refused response, and which objects behind them, are the cause.
///
/// A NACK is one free text for a whole response. For listeners, clusters and routes it names the
/// resource ("Error adding/updating listener(s) 0.0.0.0_8080: …"), for others often not. What had
/// not changed since the proxy last accepted it is innocent.
struct Blame {
  /// The resources to blame, in name order.
  let resources: [EncodedResource]
  /// Whether these and no others are the cause: the text names them, or there is only one.
  let isCertain: Bool
  let origins: [Origin]

  /// Judges a response, in name order, by the text of its NACK and by what the proxy had accepted of
  /// a name before.
  init(
    response: [EncodedResource], reason: String, accepted: (String) -> EncodedResource?
  ) {
    let changed = response.filter { accepted($0.name)?.version != $0.version }
    let suspects = changed.isEmpty ? response : changed
    let words = Words(of: reason)
    let named = suspects.filter { words.contain($0.name) }
    resources = named.isEmpty ? suspects : named
    isCertain = !named.isEmpty || suspects.count == 1
    origins = Array(Set(resources.flatMap { Self.causes(in: $0, since: accepted($0.name)) }))
      .sorted()
  }

  /// The origins that are new, or of a new generation, since the accepted resource; all if none is.
  private static func causes(
    in resource: EncodedResource, since accepted: EncodedResource?
  ) -> [Origin] {
    guard let accepted else { return resource.origins }
    let causes = resource.origins.filter { origin in
      !accepted.origins.contains {
        $0.object == origin.object && $0.generation == origin.generation
      }
    }
    return causes.isEmpty ? resource.origins : causes
  }

  /// A text cut up once, so that a thousand names can be looked up in it.
  private struct Words {
    private let text: String
    private let words: Set<Substring>

    init(of text: String) {
      self.text = text
      var words: Set<Substring> = []
      for word in text.split(whereSeparator: Self.isSeparator) {
        // Both "name: reason" and "kind:name" occur; names may themselves hold colons and dots.
        words.formUnion(word.split(separator: ":"))
        var word = word
        words.insert(word)
        while let last = word.last, ":.".contains(last) { word.removeLast() }
        words.insert(word)
      }
      self.words = words
    }

    func contain(_ name: String) -> Bool {
      guard !name.isEmpty else { return false }
      if name.contains(where: Self.isSeparator) {
        return text.contains("'\(name)'") || isBare(name)
      }
      return words.contains(name[...])
    }

    /// Whether a name that has separators in it occurs between separators.
    private func isBare(_ name: String) -> Bool {
      text.ranges(of: name).contains { range in
        let before = text[..<range.lowerBound].last.map(Self.isSeparator) ?? true
        let after = text[range.upperBound...].first.map { Self.isSeparator($0) || $0 == ":" }
        return before && after ?? true
      }
    }

    private static func isSeparator(_ character: Character) -> Bool {
      character.isWhitespace || "'\"`,;()[]{}<>=".contains(character)
    }
  }
}

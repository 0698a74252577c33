// SPDX-License-Identifier: Apache-2.0

package import Foundation
package import MeshModel
package import XDS

/// A transcript of an ADS stream that can be played against anything that serves one.
///
/// The same script runs against the bare state of a stream, a stream in the process and gRPC on a
/// socket. Playing it gives the transcript that really happened, to be compared with the script.
///
///     = CDS a@1 b@1; LDS l@1     publish: these types have these resources now, `-` for none
///     > CDS                      a request: type, names, nonce label, version=LABEL, error="TEXT"
///     < CDS n1 a@1 b@1           a response, labelled n1, n2, … in the order of the script
///     > CDS n1                   the answer to n1; its version_info is that of n1 unless given
///     < nothing                  nothing comes
///     ~ ECDS a@1 error="TEXT"    the agent reports that this resource cannot run, or (no error) can
///     ? CDS SYNCED               the status of a type
///     ! reconnect                a new stream of the same client
///     # a comment
///
/// `nonce=TEXT` sends a nonce as it stands, `version=TEXT` a version. Resource `a@1` has the name `a`
/// and the bytes `a@1`.
package struct ADSScript: Sendable {
  /// A response as the script sees it.
  package struct Answer: Hashable, Sendable {
    package var typeURL: TypeURL
    package var versionInfo: String
    package var nonce: Nonce
    /// The bytes of each resource as text: `a@1`.
    package var resources: [String]

    package init(typeURL: TypeURL, versionInfo: String, nonce: Nonce, resources: [String]) {
      self.typeURL = typeURL
      self.versionInfo = versionInfo
      self.nonce = nonce
      self.resources = resources
    }
  }

  package let name: String
  package let text: String

  package init(name: String = "script", _ text: String) {
    self.name = name
    self.text = text
  }

  /// All scripts (`*.ads`) of a directory, by name; it is a mistake of the test if there are none.
  package static func all(in directory: URL) throws -> [ADSScript] {
    let files = try FileManager.default.contentsOfDirectory(
      at: directory, includingPropertiesForKeys: nil
    ).filter { $0.pathExtension == "ads" }
    precondition(!files.isEmpty, "there are no scripts in \(directory.path)")
    return try files.sorted { $0.path < $1.path }.map {
      ADSScript(
        name: $0.deletingPathExtension().lastPathComponent,
        try String(contentsOf: $0, encoding: .utf8))
    }
  }

  /// Plays the script and answers what happened, in the form of the script.
  ///
  /// - Throws: `invalid` with the line of a script that cannot be read, and what the peer throws.
  package func transcript(with peer: inout some ADSScriptPeer) async throws -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var run = Run()
    var number = 0
    while number < lines.count {
      let line = lines[number]
      number += 1
      do throws(ConfigError) {
        guard let step = try Step(line, answers: run.answers) else {
          run.transcript.append(line)
          continue
        }
        run.step = step
      } catch {
        var located = error
        located.location = SourceLocation(file: name, line: number)
        throw located
      }
      run.transcript.append(line)
      guard try await run.act(with: &peer) else { continue }
      var expected = 0
      while number < lines.count, lines[number].hasPrefix("<") {
        expected += lines[number] == "< nothing" ? 0 : 1
        number += 1
      }
      try await run.receive(from: &peer, expecting: expected)
    }
    return run.transcript.joined(separator: "\n")
  }
}

extension ADSScript: CustomStringConvertible {
  package var description: String { name }
}

/// What a script is played against; functions without `async` and `throws` are fine.
package protocol ADSScriptPeer {
  /// Makes these the resources; types that are missing have none.
  mutating func publish(_ resources: [TypeURL: [EncodedResource]]) async throws
  mutating func reconnect() async throws
  mutating func send(_ request: DiscoveryRequest) async throws
  /// Tells as skiff-agent does that a resource cannot run, and why, or that it can.
  mutating func report(_ resource: EncodedResource, failure: String?) async throws
  /// The next response, nil if none comes.
  ///
  /// `expected` tells whether the script says that one comes, so that it is worth waiting long.
  mutating func receive(expected: Bool) async throws -> ADSScript.Answer?
  mutating func status(of typeURL: TypeURL) async throws -> String?
}

/// The state of a script that is being played.
private struct Run {
  var answers: [ADSScript.Answer] = []
  var transcript: [String] = []
  var step: Step?
  private var resources: [TypeURL: [EncodedResource]] = [:]

  /// Does a step; true if responses may follow.
  mutating func act(with peer: inout some ADSScriptPeer) async throws -> Bool {
    switch step {
    case .publish(let changed):
      resources.merge(changed) { $1 }
      try await peer.publish(resources)
      return true
    case .send(let request):
      try await peer.send(request)
      return true
    case .report(let resource, let failure):
      try await peer.report(resource, failure: failure)
      return true
    case .reconnect:
      try await peer.reconnect()
      return true
    case .status(let typeURL):
      let status = try await peer.status(of: typeURL) ?? "-"
      transcript[transcript.count - 1] = "? \(Step.name(of: typeURL)) \(status)"
      return false
    case nil:
      return false
    }
  }

  mutating func receive(
    from peer: inout some ADSScriptPeer, expecting expected: Int
  ) async throws {
    var count = 0
    while let answer = try await peer.receive(expected: count < expected) {
      answers.append(answer)
      count += 1
      let words = [Step.name(of: answer.typeURL), "n\(answers.count)"] + answer.resources
      transcript.append("< " + words.joined(separator: " "))
    }
    if count == 0 { transcript.append("< nothing") }
  }
}

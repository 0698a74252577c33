// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import KubeClient

/// The flags of commands that ask the control API.
struct ServerOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: "The URL of the control API; SKIFF_SERVER, else http://127.0.0.1:8001.")
  var server: String?

  @Option(help: "The bearer token; better a file, since others see a command line.")
  var token: String?

  @Option(help: "A file with the bearer token; SKIFF_TOKEN_FILE.")
  var tokenFile: String?

  @Option(
    help: "A PEM file with the CA of the server's certificate; SKIFF_CERTIFICATE_AUTHORITY.")
  var certificateAuthority: String?

  func validate() throws {
    guard token == nil || tokenFile == nil else {
      throw ValidationError("give --token or --token-file, not both")
    }
  }

  /// Runs a command with a connection; what fails is told as kubectl tells it, and exits with 1.
  func connect(_ body: (APIConnection) async throws -> Void) async throws {
    do {
      try await APIConnection.with(try settings(), body)
    } catch let failure as ClientFailure {
      printError("\(failure)")
      throw ExitCode(1)
    }
  }

  private func settings() throws -> APIConnection.Settings {
    let environment = ProcessInfo.processInfo.environment
    func value(_ flag: String?, _ variable: String) -> String? {
      let text = flag ?? environment[variable] ?? ""
      return text.isEmpty ? nil : text
    }
    return APIConnection.Settings(
      server: try Self.url(value(server, "SKIFF_SERVER") ?? "http://127.0.0.1:8001"),
      token: try token ?? value(tokenFile, "SKIFF_TOKEN_FILE").map(Self.token),
      certificateAuthority: value(certificateAuthority, "SKIFF_CERTIFICATE_AUTHORITY"))
  }

  /// A URL without a slash at its end; as for kubectl, without a scheme it is plain HTTP.
  private static func url(_ text: String) throws(ClientFailure) -> String {
    let text = text.contains("://") ? text : "http://\(text)"
    guard let url = URLComponents(string: text), ["http", "https"].contains(url.scheme ?? ""),
      url.host?.isEmpty == false
    else {
      throw .local("--server: expected http://HOST:PORT or https://HOST:PORT, found \"\(text)\"")
    }
    return text.hasSuffix("/") ? String(text.dropLast()) : text
  }

  private static func token(in file: String) throws(ClientFailure) -> String {
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
      throw .local("--token-file: \(file) cannot be read")
    }
    let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !token.isEmpty, !token.contains(where: \.isWhitespace) else {
      throw .local("--token-file: \(file) must hold one token and nothing else")
    }
    return token
  }
}

/// `--dry-run` of commands that change something.
enum DryRun: String, CaseIterable, ExpressibleByArgument {
  case none
  case server

  /// The parameter of a request.
  var query: [(String, String)] { self == .server ? [("dryRun", "All")] : [] }
  /// Behind what is told.
  var mark: String { self == .server ? " (server dry run)" : "" }
}

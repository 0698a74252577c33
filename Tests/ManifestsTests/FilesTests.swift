// SPDX-License-Identifier: Apache-2.0

import Foundation
import Manifests
import MeshModel
import Testing

/// Reading paths on the real file system, as `skiffctl validate` does.
@Suite final class FilesTests {
  private let folder = FileManager.default.temporaryDirectory
    .appending(path: "skiff-files-\(UUID().uuidString)").path

  init() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private func write(_ name: String, _ text: String) throws {
    let path = "\(folder)/\(name)"
    try FileManager.default.createDirectory(
      atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path,
      withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  private func configMap(_ name: String) -> String {
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \(name)}\n"
  }

  private func names(_ reading: ManifestReading) -> [String] { reading.objects.map(\.ref.name) }

  @Test func `directories are read recursively, hidden and foreign files are not`() throws {
    try write("b.yaml", configMap("b"))
    try write("a/c.yml", configMap("c"))
    try write("a/d.json", #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"d"}}"#)
    try write("a/.e.yaml.swp", configMap("e"))
    try write("a/f.yaml~", configMap("f"))
    try write(".git/g.yaml", configMap("g"))
    try write("readme.txt", "hello")
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder)/a/loop", withDestinationPath: folder)
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder)/nowhere.yaml", withDestinationPath: "\(folder)/none")
    let reading = ManifestReader().read(paths: [folder])
    #expect(names(reading) == ["c", "d", "b"])
    #expect(reading.problems == [])
    #expect(reading.isComplete)
  }

  @Test func `a ConfigMap mount is read by its visible names`() throws {
    try write("..2026_01/x.yaml", configMap("x"))
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder)/..data", withDestinationPath: "..2026_01")
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder)/x.yaml", withDestinationPath: "..data/x.yaml")
    let reading = ManifestReader().read(paths: [folder])
    #expect(names(reading) == ["x"])
    #expect(reading.objects.first?.source.file == "\(folder)/x.yaml")
    #expect(reading.problems == [])
  }

  @Test func `what cannot be read is told and the rest counts`() throws {
    try write("good.yaml", configMap("good"))
    try write("again.yaml", configMap("good"))
    let reading = ManifestReader().read(paths: ["\(folder)/none", folder, "\(folder)/good.yaml"])
    #expect(names(reading) == ["good"])
    #expect(
      reading.problems.map(\.description) == [
        "\(folder)/none: no such file or directory",
        "ConfigMap default/good: is already written at \(folder)/again.yaml:1, which stays in force; "
          + "remove one of them (\(folder)/good.yaml:1)",
        "ConfigMap default/good: is already written at \(folder)/again.yaml:1, which stays in force; "
          + "remove one of them (\(folder)/good.yaml:1)",
      ])
    #expect(!reading.isComplete)
  }

  @Test func `a file of 100 MB is refused without being read`() throws {
    let path = "\(folder)/large.yaml"
    try #require(FileManager.default.createFile(atPath: path, contents: nil))
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.truncate(atOffset: 100_000_000)
    try file.close()
    try write("small.yaml", configMap("small"))
    let before = Self.residentKiB()
    let reading = ManifestReader().read(paths: [folder])
    #expect(Self.residentKiB() - before < 30_000)
    #expect(names(reading) == ["small"])
    #expect(
      reading.problems.map(\.description) == [
        "\(path): the file has 100000000 bytes, more than the limit of 16777216; split it"
      ])
  }

  private static func residentKiB() -> Int {
    let statm = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    return (statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4
  }
}

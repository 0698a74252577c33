// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Foundation
import SwiftProtobuf
import Testing

/// Our `proto/` against the descriptors that the Envoy project publishes.
@Suite struct SubsetTests {
  private let subset: Google_Protobuf_FileDescriptorSet
  private let whole: Google_Protobuf_FileDescriptorSet

  init() throws {
    let repository = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let bytes = try Data(contentsOf: repository.appending(path: "proto/subset.binpb"))
    subset = try Google_Protobuf_FileDescriptorSet(serializedBytes: bytes)
    whole = try Google_Protobuf_FileDescriptorSet(
      serializedBytes: Data(EnvoyTypes.descriptorSet))
  }

  @Test func `every field and enum value of the subset is Envoy's`() {
    let table = DescriptorTable(subset)
    #expect(table.messages.count > 250)
    #expect(table.enums.count > 30)
    #expect(table.differences(from: DescriptorTable(whole)) == [])
  }

  @Test func `a wrong number, name, type, oneof or enum value would be noticed`() throws {
    var wrong = subset
    let index = try #require(wrong.file.firstIndex { $0.package == "envoy.config.core.v3" })
    let name = "envoy.config.core.v3"
    try wrong.file[index].edit("Locality") { $0.field[0].number = 9 }
    try wrong.file[index].edit("Pipe") { $0.field[0].name = "file" }
    try wrong.file[index].edit("Pipe") { $0.field[1].type = .int32 }
    try wrong.file[index].edit("DataSource") { $0.field[0].clearOneofIndex() }
    try wrong.file[index].edit("HeaderValueOption") { $0.enumType[0].value.removeLast() }
    try wrong.file[index].edit("ControlPlane") { $0.name = "Pilot" }

    let differences = DescriptorTable(wrong).differences(from: DescriptorTable(whole))
    #expect(
      differences.map { String($0.prefix { $0 != ":" }) } == [
        "\(name).DataSource.filename", "\(name).HeaderValueOption.HeaderAppendAction",
        "\(name).Locality.region", "\(name).Pilot", "\(name).Pipe.file", "\(name).Pipe.mode",
      ])
  }

  @Test func `each package of the subset is one file in the folder of its name`() {
    let misplaced = subset.file.filter {
      $0.name.split(separator: "/").dropLast() != $0.package.split(separator: ".")[...]
    }
    #expect(misplaced.map(\.name) == [])
    #expect(Set(subset.file.map(\.package)).count == subset.file.count)
  }

  @Test func `the whole API comes with dependencies first, with options, without sources`() {
    var seen: Set<String> = []
    for file in whole.file {
      #expect(seen.isSuperset(of: file.dependency), "\(file.name) before what it imports")
      #expect(!file.hasSourceCodeInfo)
      seen.insert(file.name)
    }
    #expect(
      seen.isSuperset(of: ["validate/validate.proto", "envoy/service/discovery/v3/ads.proto"]))
    let cluster = whole.file.first { $0.name == "envoy/config/cluster/v3/cluster.proto" }?
      .messageType.first { $0.name == "Cluster" }
    // [(validate.rules).string.min_len = 1], an extension that nobody decodes here.
    #expect(
      cluster?.field.first { $0.name == "name" }?.options.unknownFields.data
        == Data([0xFA, 0x42, 4, 0x72, 2, 0x10, 1]))
  }
}

extension Google_Protobuf_FileDescriptorProto {
  fileprivate mutating func edit(
    _ message: String, _ change: (inout Google_Protobuf_DescriptorProto) -> Void
  ) throws {
    change(&messageType[try #require(messageType.firstIndex { $0.name == message })])
  }
}

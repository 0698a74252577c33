// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]

/// A library target and its tests.
///
/// `on` is all that it may import; see ARCHITECTURE.md, "Arrows".
func layer(
  _ name: String, on dependencies: [Target.Dependency] = [],
  testedWith testDependencies: [Target.Dependency] = [], testFiles: [String] = []
) -> [Target] {
  [
    .target(name: name, dependencies: dependencies, swiftSettings: settings),
    .testTarget(
      name: "\(name)Tests",
      dependencies: [.target(name: name)] + dependencies + testDependencies,
      exclude: testFiles, swiftSettings: settings),
  ]
}

func program(_ name: String, on dependencies: [Target.Dependency]) -> [Target] {
  [.executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)]
}

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let sockets = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let tls = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let http1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTLS = Target.Dependency.product(name: "HummingbirdTLS", package: "hummingbird")
let database = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let arguments = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "skiff",
  products: [
    .executable(name: "skiffd", targets: ["skiffd"]),
    .executable(name: "skiff-agent", targets: ["skiff-agent"]),
    .executable(name: "skiffctl", targets: ["skiffctl"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0", traits: []),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    .package(url: "https://github.com/groue/GRDB.swift.git", exact: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
  ],
  targets: [
    [
      .systemLibrary(
        name: "CNGHTTP2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
      .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
      .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
      .target(name: "CEnvoyDescriptors", exclude: ["envoy.binpb"]),
      .target(name: "CSpawn"),
    ],
    layer("JSON", on: [.product(name: "OrderedCollections", package: "swift-collections")]),
    layer("Prometheus"),
    layer("Serving", on: ["JSON", nio, tls, logging, lifecycle, hummingbird, hummingbirdTLS]),
    layer("Flags", on: ["MeshModel", "Serving", logging, arguments]),
    layer("MeshModel", on: ["JSON", crypto]),
    layer(
      "ProtoReflection",
      on: ["JSON"], testedWith: ["EnvoyAPI", "MeshTesting"], testFiles: ["Peers"]),
    layer("EnvoyAPI", on: ["CEnvoyDescriptors", "JSON", "ProtoReflection", protobuf]),
    [.target(name: "AgentAPI", dependencies: [protobuf], swiftSettings: settings)],
    layer(
      "Manifests", on: ["JSON", "MeshModel", tls, .product(name: "Yams", package: "Yams")],
      testedWith: ["MeshTesting"], testFiles: ["Fixtures"]),
    layer(
      "Translation", on: ["JSON", "MeshModel", "EnvoyAPI", "ProtoReflection", protobuf],
      testedWith: ["ConfigStore", "Manifests", "MeshTesting"], testFiles: ["Fixtures"]),
    layer(
      "Validation", on: ["MeshModel", "Manifests", "ProtoReflection", "Translation"],
      testedWith: ["EnvoyAPI"]),
    layer("XDS", on: ["MeshModel"], testedWith: ["MeshTesting"], testFiles: ["Fixtures"]),
    layer("ConfigStore", on: ["JSON", "MeshModel", "Manifests"]),
    layer("ObjectStore", on: ["JSON", "MeshModel", database]),
    layer(
      "APIServer",
      on: [
        "JSON", "MeshModel", "Manifests", "ConfigStore", "ObjectStore", "Serving", crypto, nio,
        httpTypes, logging, lifecycle, hummingbird,
      ], testedWith: [.product(name: "NIOEmbedded", package: "swift-nio")]),
    layer(
      "GRPC", on: ["CNGHTTP2", nio, sockets, tls, nioTLS, logging, lifecycle],
      testedWith: ["MeshTesting", .product(name: "NIOEmbedded", package: "swift-nio")],
      testFiles: ["Fixtures", "Peers"]),
    layer(
      "XDSServer",
      on: [
        "JSON", "MeshModel", "EnvoyAPI", "AgentAPI", "Prometheus", "XDS", "GRPC", nio, logging,
        lifecycle, protobuf,
      ], testedWith: ["MeshTesting", sockets]),
    [
      .target(
        name: "ControlPlane",
        dependencies: [
          "JSON", "MeshModel", "Manifests", "ConfigStore", "Prometheus", "Translation",
          "Validation", "XDS", "XDSServer", "GRPC", "EnvoyAPI", "AgentAPI", "Serving",
          "ObjectStore", "APIServer", protobuf, nio, sockets, tls, logging, lifecycle, signals,
          hummingbird,
        ], swiftSettings: settings)
    ],
    layer(
      "WasmModules",
      on: [
        "CZlib", "CZstd", "JSON", crypto, nio, sockets, http1, tls, httpClient, logging, lifecycle,
      ]),
    layer(
      "Agent",
      on: [
        "CSpawn", "JSON", "MeshModel", "EnvoyAPI", "AgentAPI", "Prometheus", "XDS", "GRPC",
        "Serving", "Flags", "WasmModules", nio, sockets, http1, logging, lifecycle, signals,
        protobuf, arguments, httpClient, hummingbird,
      ]),
    layer(
      "KubeClient",
      on: ["JSON", "MeshModel", "Manifests", nio, sockets, http1, tls, httpClient]),
    [
      .target(
        name: "MeshTesting", dependencies: ["JSON", "MeshModel", "XDS"], swiftSettings: settings)
    ],
    program("skiffd", on: ["ControlPlane", "Flags", "MeshModel", "Serving", logging, arguments]),
    program(
      "skiffctl",
      on: [
        "Flags", "JSON", "MeshModel", "Manifests", "ConfigStore", "Serving", "Translation",
        "Validation", "EnvoyAPI", "KubeClient", arguments, protobuf, nio, sockets, http1,
        httpClient,
      ]),
    program("skiff-agent", on: ["Agent", "MeshModel", arguments]),
    [
      .executableTarget(
        name: "translation-bench",
        dependencies: ["ConfigStore", "EnvoyAPI", "JSON", "Manifests", "MeshModel", "Translation"],
        path: "Benchmarks/Translation", swiftSettings: settings)
    ],
  ].flatMap(\.self)
)

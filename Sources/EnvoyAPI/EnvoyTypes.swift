// SPDX-License-Identifier: Apache-2.0

import CEnvoyDescriptors
package import ProtoReflection

/// The whole Envoy API as data, for what users write.
///
/// The generated types beside this file are only what translation builds. An EnvoyFilter may name
/// any extension that Envoy has, so it is decoded, checked and merged with these descriptors.
package enum EnvoyTypes {
  /// A serialised `google.protobuf.FileDescriptorSet`, dependencies first, with all options.
  ///
  /// The bytes are part of the executable; nothing is copied.
  package static var descriptorSet: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: skiff_envoy_descriptors(), count: skiff_envoy_descriptors_length())
  }

  /// The types of `descriptorSet`, indexed on first use and shared from then on.
  package static let pool: DescriptorPool = {
    do {
      return try DescriptorPool(fileDescriptorSet: Array(descriptorSet))
    } catch {
      preconditionFailure("the embedded Envoy descriptors must be a descriptor set: \(error)")
    }
  }()
}

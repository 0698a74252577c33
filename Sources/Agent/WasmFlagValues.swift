// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import WasmModules

// What only the agent's flags hold.

extension WasmFailureMode: ExpressibleByArgument {}

extension AddressRange: ExpressibleByArgument {
  package init?(argument: String) { self.init(argument) }
}

extension CrashPoint: ExpressibleByArgument {
  package init?(argument: String) { self.init(argument) }
}

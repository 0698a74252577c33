// SPDX-License-Identifier: Apache-2.0

import JSON

/// The members of `status` that are measured, and how they stand beside what others write there.
///
/// Ours are `observedGeneration`, `proxies` and the conditions of `Condition.Kind`; all else is left as
/// it is.
struct StatusMembers {
  /// A condition that is another now than it was.
  struct Transition: Hashable {
    /// What was written of it before.
    struct Former: Hashable {
      var status: String
      var reason: String
    }

    /// Nil where there was none.
    var former: Former?
    var condition: Condition

    /// Whether it says the opposite now, or says something for the first time.
    var isFlip: Bool { former?.status != (condition.isTrue ? "True" : "False") }
  }

  /// All of `status`, or null.
  let status: JSONValue

  init(of object: JSONValue) { status = object["status"] ?? .null }

  /// The condition of a kind, as it is written.
  func condition(_ kind: Condition.Kind) -> JSONValue? {
    status["conditions"]?.arrayElements?.first { $0["type"]?.stringValue == kind.rawValue }
  }

  /// The status with what was measured, canonical.
  func taking(_ measured: MeasuredStatus, generation: Int64, at time: String) -> JSONValue {
    var conditions: [JSONValue] = []
    var rest = measured.conditions
    for former in status["conditions"]?.arrayElements ?? [] {
      guard let kind = Condition.Kind(rawValue: former["type"]?.stringValue ?? "") else {
        conditions.append(former)
        continue
      }
      guard let index = rest.firstIndex(where: { $0.kind == kind }) else { continue }
      conditions.append(Self.json(rest.remove(at: index), after: former, generation, time))
    }
    conditions += rest.map { Self.json($0, after: nil, generation, time) }
    let proxies: JSONValue = [
      "total": .integer(measured.proxies.total),
      "programmed": .integer(measured.proxies.programmed),
      "pending": .integer(measured.proxies.pending),
      "rejected": .integer(measured.proxies.rejected),
    ]
    return status.setting("conditions", .array(conditions)).setting("proxies", proxies)
      .setting("observedGeneration", .integer(generation)).canonical
  }

  /// Our members of a status alone.
  static func own(of status: JSONValue) -> JSONValue {
    let conditions = (status["conditions"]?.arrayElements ?? []).filter {
      Condition.Kind(rawValue: $0["type"]?.stringValue ?? "") != nil
    }
    return JSONValue.object([:]).setting("conditions", .array(conditions))
      .setting("observedGeneration", status["observedGeneration"])
      .setting("proxies", status["proxies"])
  }

  /// What changed with a measurement, in the order of the conditions.
  func transitions(to measured: MeasuredStatus) -> [Transition] {
    measured.conditions.compactMap { condition -> Transition? in
      let former = self.condition(condition.kind)
      let transition = Transition(
        former: former.map {
          Transition.Former(
            status: $0["status"]?.stringValue ?? "", reason: $0["reason"]?.stringValue ?? "")
        }, condition: condition)
      let isSame = !transition.isFlip && transition.former?.reason == condition.reason
      return isSame ? nil : transition
    }
  }

  private static func json(
    _ condition: Condition, after former: JSONValue?, _ generation: Int64, _ time: String
  ) -> JSONValue {
    let json = condition.json(observedGeneration: generation)
    let isSame = former?["status"] == json["status"]
    let since = isSame ? former?["lastTransitionTime"]?.stringValue : nil
    return json.setting("lastTransitionTime", .string(since ?? time))
  }
}

extension JSONValue {
  /// The object for a new generation, of which nothing is measured yet: `Programmed` is unknown from the
  /// very write on, so that nobody takes the former generation's success for this one's.
  func withProgrammedUnknown(_ resource: APIResource, at time: JSONValue) -> JSONValue {
    let members = StatusMembers(of: self)
    guard resource.isMeasured, members.condition(.programmed) != nil else { return self }
    let generation = metadata["generation"] ?? 1
    let conditions = members.status["conditions"]?.arrayElements?.map { former -> JSONValue in
      guard former["type"]?.stringValue == Condition.Kind.programmed.rawValue else { return former }
      return [
        "type": former["type"] ?? .null, "status": "Unknown", "reason": "Pending",
        "message": .string("generation \(generation.text()) is not served yet"),
        "observedGeneration": generation,
        "lastTransitionTime": former["status"] == "Unknown"
          ? former["lastTransitionTime"] ?? time : time,
      ]
    }
    var status = members.status.setting("conditions", conditions.map(JSONValue.array))
    if let total = status["proxies"]?["total"] {
      status = status.setting(
        "proxies", ["total": total, "programmed": 0, "pending": total, "rejected": 0])
    }
    return setting("status", status).canonical
  }
}

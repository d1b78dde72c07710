"""Looks at this host's containers or works on them, as the order says that the controller hands over."""

from __future__ import annotations

import base64
import json

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.provider_engine import Engine, EngineError
from ansible.module_utils.provider_orders import answer_to
from ansible.module_utils.provider_records import Records

DOCUMENTATION = """
module: provider_host
short_description: Containers of a provider's workloads
options:
  order: {type: str, required: true, description: What to do, as base64 of JSON; never read as anything else.}
"""


def main() -> None:
    """One answer for every order; what fails for one workload is told in its view and spoils no other."""
    module = AnsibleModule(
        {"order": {"type": "str", "required": True, "no_log": True}}, supports_check_mode=True
    )
    asked = json.loads(base64.b64decode(module.params["order"]))
    engine = Engine(asked["engine"], asked["seconds"])
    records = Records(asked["directory"])
    try:
        records.keep_within(asked.get("storage_paths") or ())
        answer, changed = answer_to(asked, engine, records, checking=module.check_mode)
    except EngineError as why:
        module.fail_json(msg=str(why), step=why.step)
    answer = {**answer, "checking": module.check_mode}
    module.exit_json(changed=changed, answer=base64.b64encode(json.dumps(answer).encode()).decode())


if __name__ == "__main__":
    main()

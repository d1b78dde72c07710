"""Observes or changes this host's containers, as the request from the daemon specifies."""

from __future__ import annotations

import base64
import json

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.provider_engine import Engine, EngineError
from ansible.module_utils.provider_records import Records
from ansible.module_utils.provider_requests import respond

DOCUMENTATION = """
module: provider_host
short_description: Containers of a provider's workloads
options:
  request: {type: str, required: true, description: The request as base64 of JSON.}
"""


def main() -> None:
    """Fails as a whole only if the engine or the records cannot be used; other errors are in the response."""
    module = AnsibleModule(
        {"request": {"type": "str", "required": True, "no_log": True}}, supports_check_mode=True
    )
    request = json.loads(base64.b64decode(module.params["request"]))
    engine = Engine(request["engine"], request["seconds"])
    records = Records(request["directory"])
    try:
        records.require_within(request.get("storage_paths") or ())
        response, changed = respond(request, engine, records, check_mode=module.check_mode)
    except EngineError as error:
        module.fail_json(msg=str(error), step=error.step)
    response["check_mode"] = module.check_mode
    module.exit_json(changed=changed, response=base64.b64encode(json.dumps(response).encode()).decode())


if __name__ == "__main__":
    main()

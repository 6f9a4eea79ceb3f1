"""One client people already use, against a platform that is up. Arguments: the client, home folder, model folder.

Each has a process of its own: the native threads of one must not meet another's at exit.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

home, model = (pathlib.Path(argument) for argument in sys.argv[2:])


def kubernetes_client():
    import kubernetes

    config = kubernetes.client.Configuration()
    kubernetes.config.load_kube_config(str(home / "kubeconfig"), client_configuration=config)
    # The URL carries the token for kubectl; this client takes it as a header.
    scheme, rest = config.host.split("://")
    config.host = f"{scheme}://{rest.split('@')[-1]}"
    config.api_key["authorization"] = "Bearer " + (home / "credentials").read_text().strip()
    api = kubernetes.client.CustomObjectsApi(kubernetes.client.ApiClient(config))
    where = ("bedplate.dev", "v1alpha1", "flights")
    datasets = api.list_namespaced_custom_object(*where, "datasets")["items"]
    print("kubernetes", len(datasets), "datasets")
    entity = {
        "apiVersion": "bedplate.dev/v1alpha1",
        "kind": "Entity",
        "metadata": {"name": "from-python"},
        "spec": {"joinKeys": [{"name": "tailnum", "type": "string"}]},
    }
    api.create_namespaced_custom_object(*where, "entities", entity)
    patched = api.patch_namespaced_custom_object(*where, "entities", "from-python", {"spec": {"description": "patched"}})
    assert patched["spec"]["description"] == "patched", patched
    api.delete_namespaced_custom_object(*where, "entities", "from-python")
    try:
        api.get_namespaced_custom_object(*where, "entities", "from-python")
        raise AssertionError("it is still there")
    except kubernetes.client.ApiException as error:
        assert error.status == 404, error


def verifies(folder):
    command = ["verify", "key", "--signature", folder / "model.sig", "--public_key", home / "keys/model-signing.pub", folder]
    return subprocess.run([sys.executable, "-m", "model_signing", *map(str, command)], capture_output=True).returncode == 0


def model_signing():
    assert verifies(model), "the bundle is not verified"
    print("model-signing verified")
    with tempfile.TemporaryDirectory() as copy:
        altered = pathlib.Path(copy) / "model"
        shutil.copytree(model, altered)
        content = bytearray((altered / "model.onnx").read_bytes())
        content[len(content) // 2] ^= 1
        (altered / "model.onnx").write_bytes(content)
        assert not verifies(altered), "an altered model was verified"
    print("model-signing refused an altered model")


def onnx():
    import numpy
    import onnxruntime

    session = onnxruntime.InferenceSession(str(model / "model.onnx"))
    width = session.get_inputs()[0].shape[1]
    rows = numpy.random.default_rng(7).normal(size=(100, width)).astype(numpy.float32)
    _, probabilities = session.run(None, {session.get_inputs()[0].name: rows})
    assert probabilities.shape == (100, 2) and numpy.allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    print("onnxruntime", width, "features")



def delta():
    import deltalake

    print("deltalake", deltalake.DeltaTable(str(home / "lake/flights/flights")).to_pyarrow_table().num_rows, flush=True)
    # Its threads now and then end the interpreter's own end with an abort.
    os._exit(0)


{"kubernetes": kubernetes_client, "model-signing": model_signing, "onnxruntime": onnx, "deltalake": delta}[sys.argv[1]]()

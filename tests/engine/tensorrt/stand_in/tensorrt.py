"""A stand-in for TensorRT that runs the graph with ONNX Runtime, on the stand-in driver's memory.

It has the names and signatures that `test_api.py` finds in NVIDIA's own bindings, keeps their
rules (shapes within the profile, addresses set, a plan for this release alone) and nothing else.
`STAND_IN_REFUSES` makes building fail, `STAND_IN_SLOW` makes it take that many seconds.
"""

from __future__ import annotations

import ctypes
import json
import os
import time
from enum import Enum

import numpy as np

__version__ = os.environ.get("STAND_IN_RELEASE", "10.3.0")


class ILogger:
    Severity = Enum("Severity", "INTERNAL_ERROR ERROR WARNING INFO VERBOSE")

    def log(self, severity, msg):
        raise NotImplementedError


class Logger(ILogger):
    def __init__(self, min_severity=ILogger.Severity.WARNING):
        self.min_severity = min_severity


BuilderFlag = Enum("BuilderFlag", "FP16 TF32" if __version__.startswith("10.") else "TF32")
MemoryPoolType = Enum("MemoryPoolType", "WORKSPACE")
DataType = Enum("DataType", "FLOAT HALF INT32 INT64 BOOL UINT8 INT8")
TensorIOMode = Enum("TensorIOMode", "NONE INPUT OUTPUT")
_TYPES = {"tensor(float)": DataType.FLOAT, "tensor(float16)": DataType.HALF, "tensor(int64)": DataType.INT64}


class IProgressMonitor:
    pass


class Dims(list):
    def __init__(self, shape=()):
        assert isinstance(shape, list), "release 10.3 takes a list"
        super().__init__(shape)


class _Tensor:
    def __init__(self, value):
        self.name = value.name
        self.shape = Dims([d if isinstance(d, int) else -1 for d in value.shape])


class INetworkDefinition:
    session = content = None

    @property
    def num_inputs(self):
        return len(self.session.get_inputs())

    def get_input(self, index):
        return _Tensor(self.session.get_inputs()[index])


class OnnxParser:
    def __init__(self, network, logger):
        self.network, self.logger, self.errors = network, logger, []

    def parse(self, model, path=None):
        import onnxruntime

        try:
            self.network.session, self.network.content = onnxruntime.InferenceSession(model), bytes(model)
        except Exception as error:
            self.errors.append(str(error))
        return not self.errors

    @property
    def num_errors(self):
        return len(self.errors)

    def get_error(self, index):
        return self.errors[index]


class _Profile(dict):
    def set_shape(self, input, min, opt, max):
        assert all(isinstance(d, Dims) for d in (min, opt, max))
        self[input] = [list(min), list(opt), list(max)]


class _TimingCache:
    def __init__(self, content):
        self.content = content

    def serialize(self):
        return self.content + b"measured;"


class _Config:
    progress_monitor = None

    def __init__(self):
        self.profiles, self.flags, self.limits = [], set(), {}

    def set_memory_pool_limit(self, pool, pool_size):
        self.limits[pool] = pool_size

    def set_flag(self, flag):
        self.flags.add(flag)

    def create_timing_cache(self, serialized_timing_cache):
        return _TimingCache(bytes(serialized_timing_cache))

    def set_timing_cache(self, cache, ignore_mismatch):
        self.cache = cache
        return not cache.content or cache.content.startswith(b"measured;")

    def get_timing_cache(self):
        return self.cache

    def add_optimization_profile(self, profile):
        self.profiles.append(dict(profile))
        return len(self.profiles) - 1


class Builder:
    def __init__(self, logger):
        self.logger = logger

    def create_network(self, flags=0):
        return INetworkDefinition()

    def create_builder_config(self):
        return _Config()

    def create_optimization_profile(self):
        return _Profile()

    def build_serialized_network(self, network, config):
        if os.environ.get("STAND_IN_REFUSES"):
            self.logger.log(ILogger.Severity.ERROR, "no tactic for the layer /model.23/TopK")
            return None
        monitor = config.progress_monitor
        monitor.phase_start("Building Engine", None, 4)
        for step in range(4):
            time.sleep(float(os.environ.get("STAND_IN_SLOW", "0")) / 4)
            monitor.step_complete("Building Engine", step)
        monitor.phase_finish("Building Engine")
        head = {"release": __version__, "profiles": config.profiles, "flags": [f.name for f in config.flags]}
        return json.dumps(head).encode() + b"\n" + network.content


class Runtime:
    def __init__(self, logger):
        self.logger = logger

    def deserialize_cuda_engine(self, serialized_engine):
        head, _, content = bytes(serialized_engine).partition(b"\n")
        try:
            facts = json.loads(head)
        except ValueError:
            return None
        return ICudaEngine(facts, content) if facts["release"] == __version__ else None


class ICudaEngine:
    device_memory_size_v2 = 1 << 20

    def __init__(self, facts, content):
        import onnxruntime

        self.session = onnxruntime.InferenceSession(content)
        self.profiles = facts["profiles"]
        self.io = {v.name: (v, TensorIOMode.INPUT) for v in self.session.get_inputs()}
        self.io |= {v.name: (v, TensorIOMode.OUTPUT) for v in self.session.get_outputs()}

    @property
    def num_io_tensors(self):
        return len(self.io)

    def get_tensor_name(self, index):
        return list(self.io)[index]

    def get_tensor_mode(self, name):
        return self.io[name][1]

    def get_tensor_dtype(self, name):
        return _TYPES[self.io[name][0].type]

    def get_tensor_shape(self, name):
        return _Tensor(self.io[name][0]).shape

    def get_tensor_profile_shape(self, name, profile_index):
        return [Dims(shape) for shape in self.profiles[profile_index][name]]

    def create_execution_context(self, strategy=0):
        return _Context(self)


class _Context:
    def __init__(self, engine):
        self.engine, self.shapes, self.addresses, self.made = engine, {}, {}, None

    def set_input_shape(self, name, shape):
        assert isinstance(shape, tuple)
        for profile in self.engine.profiles:
            least, _, most = profile[name]
            if any(not low <= n <= high for low, n, high in zip(least, shape, most, strict=True)):
                return False
        self.shapes[name], self.made = shape, None
        return True

    def get_tensor_shape(self, name):
        return Dims(list(self._outputs()[name].shape))

    def set_tensor_address(self, name, memory):
        self.addresses[name] = memory
        return True

    def execute_async_v3(self, stream_handle):
        assert stream_handle
        self.made = None
        for name, value in self._outputs().items():
            ctypes.memmove(self.addresses[name], value.ctypes.data, value.nbytes)
        return True

    def _outputs(self):
        """Run on what lies in device memory; before the addresses are set, its values do not matter."""
        if self.made is None:
            fed = {}
            for name, shape in self.shapes.items():
                values = (ctypes.c_float * int(np.prod(shape))).from_address(self.addresses[name])
                fed[name] = np.frombuffer(values, np.float32).reshape(shape)
            names = [v.name for v in self.engine.session.get_outputs()]
            self.made = dict(zip(names, self.engine.session.run(None, fed), strict=True))
        return self.made

/* A driver without a GPU, for tests: "device" memory is the host's, the stream is always done. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cuInit(unsigned flags) { return flags; }
int cuDriverGetVersion(int *version) { const char *v = getenv("STAND_IN_DRIVER"); *version = v ? atoi(v) : 12060; return 0; }
int cuDeviceGetCount(int *count) { *count = 1; return 0; }
int cuDeviceGet(int *device, int index) { *device = index; return index ? 101 : 0; }
int cuDeviceGetName(char *name, int size, int device) { snprintf(name, size, "Stand-in %d", device); return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) { *value = attribute == 75 ? 8 : 7; return device; }
int cuDevicePrimaryCtxRetain(void **context, int device) { *context = malloc(1); return device; }
int cuDevicePrimaryCtxRelease_v2(int device) { return device; }
int cuCtxSetCurrent(void *context) { return context ? 0 : 201; }
int cuMemGetInfo_v2(size_t *free_, size_t *total) { *free_ = 3u << 30; *total = 4ull << 30; return 0; }
int cuMemAlloc_v2(uint64_t *address, size_t size) { if (size > (4ull << 30)) return 2; *address = (uint64_t)malloc(size); return 0; }
int cuMemFree_v2(uint64_t address) { free((void *)address); return 0; }
int cuMemHostAlloc(void **address, size_t size, unsigned flags) { *address = malloc(size); return flags; }
int cuMemFreeHost(void *address) { free(address); return 0; }
int cuStreamCreate(void **stream, unsigned flags) { *stream = malloc(1); return flags == 1 ? 0 : 1; }
int cuStreamDestroy_v2(void *stream) { free(stream); return 0; }
int cuStreamSynchronize(void *stream) { return stream ? 0 : 400; }
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t size, void *stream) { memcpy((void *)to, from, size); return stream ? 0 : 400; }
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t size, void *stream) { memcpy(to, (void *)from, size); return stream ? 0 : 400; }
int cuGetErrorString(int code, const char **words) { *words = code == 2 ? "out of memory" : code == 101 ? "invalid device ordinal" : "invalid value"; return 0; }

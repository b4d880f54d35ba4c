{
  "targets": [
    {
      "target_name": "bcc_bindings",
      "sources": [
        "src/btf.cc",
        "src/mount.cc",
        "src/capabilities.cc",
        "src/clock.cc",
        "src/datagram.cc",
        "src/enum.cc",
        "src/error.cc",
        "src/every_thread.cc",
        "src/global.cc",
        "src/inner.cc",
        "src/iterate.cc",
        "src/layout.cc",
        "src/link.cc",
        "src/map.cc",
        "src/module.cc",
        "src/object.cc",
        "src/program.cc",
        "src/ring.cc",
        "src/run.cc",
        "src/tracepoint.cc"
      ],
      "dependencies": ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except"],
      "defines": ["NAPI_VERSION=8", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags": ["-Wall", "-Wextra", "-Wno-unused-parameter"],
      "cflags_cc": ["-std=c++17"],
      # libbpf's archive when it can go into a shared object, which is tried here; else libbpf.so.1. Debian's
      # is built for executables only (R_X86_64_PC32 against stderr), and so is its libelf.a.
      "libraries": ["<!(${CC:-cc} -shared -o /dev/null -Wl,--whole-archive -l:libbpf.a -Wl,--no-whole-archive -lelf -lz 2>/dev/null && echo -l:libbpf.a || echo -lbpf)", "-lelf", "-lz"],
      "ldflags": ["-Wl,--exclude-libs,ALL"]
    }
  ]
}

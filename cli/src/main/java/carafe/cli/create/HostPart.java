package carafe.cli.create;

import carafe.cli.flag.Flags;
import carafe.cli.session.Caller;
import carafe.cli.session.Session;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;

/// HostConfig: what the container may use of its host.
final class HostPart extends Body {

    private static final int LARGEST_PROFILE = 4 << 20;

    private final Flags flags;

    HostPart(Flags flags) {
        this.flags = flags;
    }

    void storage(Session session, String socket, List<String> binds) throws CreateException {
        texts("Binds", binds);
        text("ContainerIDFile", flags.text("cidfile"));
        text("VolumeDriver", flags.text("volume-driver"));
        texts("VolumesFrom", flags.list("volumes-from"));
        truth("ReadonlyRootfs", flags.truth("read-only"));
        number("ShmSize", flags.number("shm-size"));
        var tmpfs = new LinkedHashMap<String, String>();
        for (var one : flags.list("tmpfs")) {
            int colon = one.indexOf(':');
            tmpfs.put(colon < 0 ? one : one.substring(0, colon), colon < 0 ? "" : one.substring(colon + 1));
        }
        textMap("Tmpfs", tmpfs);
        for (var one : flags.list("storage-opt")) {
            if (one.indexOf('=') < 0) {
                throw new CreateException("invalid storage option");
            }
        }
        textMap("StorageOpt", Variables.map(flags.list("storage-opt")));
        var mounts = new ArrayList<Json>();
        for (var one : flags.list("mount")) {
            mounts.add(MountOption.json(one, session));
        }
        if (flags.truth("use-api-socket")) {
            if (socket.isEmpty()) {
                throw new CreateException("flag --use-api-socket can only be used with unix sockets");
            }
            mounts.add(Json.object().put("Type", "bind").put("Source", socket).put("Target", "/var/run/docker.sock").build());
        }
        list("Mounts", mounts);
    }

    void network(String mode) {
        put("NetworkMode", Json.of(mode));
        truth("PublishAllPorts", flags.truth("publish-all"));
        texts("Dns", flags.list("dns"));
        texts("DnsOptions", flags.list("dns-option"));
        texts("DnsSearch", flags.list("dns-search"));
        texts("ExtraHosts", flags.list("add-host"));
        texts("Links", flags.list("link"));
    }

    void isolation(Session session) throws CreateException {
        capabilities();
        texts("GroupAdd", flags.list("group-add"));
        text("CgroupnsMode", mode("cgroupns", "--cgroupns: invalid CGROUP mode", "", "host", "private"));
        text("IpcMode", flags.text("ipc"));
        text("PidMode", container("pid", "--pid: invalid PID mode"));
        text("UTSMode", mode("uts", "--uts: invalid UTS mode", "", "host"));
        text("UsernsMode", users(flags.text("userns"), session.caller()));
        truth("Privileged", flags.truth("privileged"));
        text("Runtime", flags.text("runtime"));
        text("Isolation", flags.text("isolation"));
        textMap("Sysctls", Variables.map(flags.list("sysctl")));
        textMap("Annotations", Variables.map(flags.list("annotation")));
        var options = new ArrayList<String>();
        for (var one : flags.list("security-opt")) {
            if (one.equals("systempaths=unconfined")) {
                put("MaskedPaths", Json.ofAll(List.of()));
                put("ReadonlyPaths", Json.ofAll(List.of()));
            } else {
                options.add(securityOption(one, session));
            }
        }
        texts("SecurityOpt", options);
        if (flags.given("init")) {
            put("Init", Json.of(flags.truth("init")));
        }
    }

    /// Docker's two words and Podman's two. Only the command knows whose id is to be kept.
    private static String users(String mode, Caller caller) throws CreateException {
        String word = mode.substring(0, mode.contains(":") ? mode.indexOf(':') : mode.length());
        if (!List.of("", "host", "auto", "keep-id").contains(word)) {
            throw new CreateException("--userns: invalid USER mode");
        }
        if (!mode.equals("keep-id")) {
            return mode;
        }
        try {
            var ids = caller.ids();
            if (ids.uid() == 0) {
                throw new CreateException("--userns=keep-id would keep root: choose --userns=auto, or say which user is"
                        + " kept, --userns=keep-id:uid=1000,gid=1000");
            }
            return "keep-id:uid=" + ids.uid() + ",gid=" + ids.gid();
        } catch (IOException e) {
            throw new CreateException("--userns=keep-id: whose id is kept cannot be found out: " + e.getMessage());
        }
    }

    private String mode(String flag, String refusal, String... allowed) throws CreateException {
        if (!List.of(allowed).contains(flags.text(flag))) {
            throw new CreateException(refusal);
        }
        return flags.text(flag);
    }

    private String container(String flag, String refusal) throws CreateException {
        String mode = flags.text(flag);
        boolean other = mode.startsWith("container:") && mode.length() > "container:".length();
        if (!mode.isEmpty() && !mode.equals("host") && !other) {
            throw new CreateException(refusal);
        }
        return mode;
    }

    private void capabilities() {
        var added = capabilities("cap-add");
        var dropped = capabilities("cap-drop");
        if (added.contains("ALL")) {
            added.retainAll(List.of("ALL"));
        }
        if (dropped.contains("ALL")) {
            dropped.retainAll(List.of("ALL"));
        }
        dropped.removeAll(added);
        texts("CapAdd", added);
        texts("CapDrop", dropped);
    }

    private TreeSet<String> capabilities(String flag) {
        var names = new TreeSet<String>();
        for (var typed : flags.list(flag)) {
            String name = typed.strip().toUpperCase(Locale.ROOT);
            names.add(name.equals("ALL") || name.equals("RESET") || name.startsWith("CAP_") ? name : "CAP_" + name);
        }
        return names;
    }

    private static String securityOption(String typed, Session session) throws CreateException {
        int cut = typed.indexOf('=') >= 0 ? typed.indexOf('=') : typed.indexOf(':');
        if (cut < 0) {
            if (!typed.equals("no-new-privileges")) {
                throw new CreateException("invalid --security-opt: \"" + typed + "\"");
            }
            return typed;
        }
        String value = typed.substring(cut + 1);
        boolean file = typed.substring(0, cut).equals("seccomp") && !value.equals("unconfined") && !value.equals("builtin");
        if (!file) {
            return typed;
        }
        byte[] profile;
        try (InputStream in = session.files().read(session.path(value))) {
            profile = in.readNBytes(LARGEST_PROFILE);
        } catch (IOException e) {
            throw new CreateException("opening seccomp profile (" + value + ") failed: " + e.getMessage());
        }
        try {
            return "seccomp=" + Json.parse(profile).print();
        } catch (EngineException.Invalid e) {
            throw new CreateException("compacting json for seccomp profile (" + value + ") failed: " + e.getMessage());
        }
    }

    void limits() throws CreateException {
        number("Memory", flags.number("memory"));
        number("MemoryReservation", flags.number("memory-reservation"));
        number("MemorySwap", flags.number("memory-swap"));
        long swappiness = flags.number("memory-swappiness");
        if (swappiness != -1 && (swappiness < 0 || swappiness > 100)) {
            throw new CreateException("invalid value: " + swappiness + ". Valid memory swappiness range is 0-100");
        }
        if (swappiness != -1) {
            put("MemorySwappiness", Json.of(swappiness));
        }
        truth("OomKillDisable", flags.truth("oom-kill-disable"));
        number("OomScoreAdj", flags.number("oom-score-adj"));
        if (flags.given("pids-limit")) {
            put("PidsLimit", Json.of(flags.number("pids-limit")));
        }
        number("NanoCpus", flags.number("cpus"));
        number("CpuShares", flags.number("cpu-shares"));
        number("CpuPeriod", flags.number("cpu-period"));
        number("CpuQuota", flags.number("cpu-quota"));
        number("CpuRealtimePeriod", flags.number("cpu-rt-period"));
        number("CpuRealtimeRuntime", flags.number("cpu-rt-runtime"));
        number("CpuCount", flags.number("cpu-count"));
        number("CpuPercent", flags.number("cpu-percent"));
        number("IOMaximumIOps", flags.number("io-maxiops"));
        number("IOMaximumBandwidth", flags.number("io-maxbandwidth"));
        text("CpusetCpus", flags.text("cpuset-cpus"));
        text("CpusetMems", flags.text("cpuset-mems"));
        text("CgroupParent", flags.text("cgroup-parent"));
        number("BlkioWeight", flags.number("blkio-weight"));
        if (!flags.list("ulimit").isEmpty()) {
            put("Ulimits", Devices.ulimits(flags.list("ulimit")));
        }
    }

    void devices() throws CreateException {
        var devices = new ArrayList<Json>();
        var requests = new ArrayList<Json>();
        var named = new ArrayList<String>();
        for (var one : flags.list("device")) {
            if (Devices.isCdi(one)) {
                named.add(one);
            } else {
                devices.add(Devices.device(one));
            }
        }
        for (var one : flags.list("gpus")) {
            requests.add(Devices.gpus(one));
        }
        if (!named.isEmpty()) {
            requests.add(Devices.cdi(named));
        }
        list("Devices", devices);
        list("DeviceRequests", requests);
        texts("DeviceCgroupRules", flags.list("device-cgroup-rule"));
        rates("BlkioWeightDevice", "blkio-weight-device", "Weight");
        rates("BlkioDeviceReadBps", "device-read-bps", "Rate");
        rates("BlkioDeviceWriteBps", "device-write-bps", "Rate");
        rates("BlkioDeviceReadIOps", "device-read-iops", "Rate");
        rates("BlkioDeviceWriteIOps", "device-write-iops", "Rate");
    }

    private void rates(String name, String flag, String field) {
        if (!flags.list(flag).isEmpty()) {
            put(name, Devices.rates(flags.list(flag), field));
        }
    }

    void life() throws CreateException {
        String driver = flags.text("log-driver");
        var options = Variables.map(flags.list("log-opt"));
        if (driver.equals("none") && !options.isEmpty()) {
            throw new CreateException("invalid logging opts for driver " + driver);
        }
        if (!driver.isEmpty() || !options.isEmpty()) {
            put("LogConfig", Json.object().put("Type", driver).put("Config", Json.ofMap(options)).build());
        }
        String policy = flags.text("restart");
        int colon = policy.indexOf(':');
        String name = colon < 0 ? policy : policy.substring(0, colon);
        if (colon == 0) {
            throw new CreateException("invalid restart policy format: no policy provided before colon");
        }
        long retries = 0;
        if (colon > 0) {
            try {
                retries = Integer.parseInt(policy.substring(colon + 1));
            } catch (NumberFormatException e) {
                throw new CreateException("invalid restart policy format: maximum retry count must be an integer");
            }
        }
        if (flags.truth("rm") && !name.isEmpty() && !name.equals("no")) {
            throw new CreateException("conflicting options: cannot specify both --restart and --rm");
        }
        put("RestartPolicy", Json.object().put("Name", name).put("MaximumRetryCount", retries).build());
        truth("AutoRemove", flags.truth("rm"));
    }
}

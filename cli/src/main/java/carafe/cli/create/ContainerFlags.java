package carafe.cli.create;

import carafe.cli.flag.Flags;
import carafe.cli.flag.Values;

/// The flags that `run` and `create` share.
public final class ContainerFlags {

    private ContainerFlags() {}

    /// Adds them all, and says that the first word ends the flags.
    public static void add(Flags flags) {
        flags.stopAtFirstWord();
        flags.bool("help", "Print usage");
        identity(flags);
        process(flags);
        files(flags);
        networks(flags);
        limits(flags);
        devices(flags);
        isolation(flags);
        life(flags);
    }

    private static void identity(Flags flags) {
        flags.add("annotation", "map", "Add an annotation to the container (passed through to the OCI runtime)")
                .shown("map[]");
        flags.text("cidfile", "Write the container ID to the file");
        flags.text("domainname", "Container NIS domain name");
        flags.text("h,hostname", "Container host name");
        flags.list("l,label", "Set meta data on a container").checked(Checks::label);
        flags.list("label-file", "Read in a line delimited file of labels");
        flags.text("name", "Assign a name to the container");
        flags.text("platform", "Set platform if server is multi-platform capable");
        flags.bool("disable-content-trust", "Skip image verification").otherwise("true");
        flags.bool("q,quiet", "Suppress the pull output");
    }

    private static void process(Flags flags) {
        flags.list("a,attach", "Attach to STDIN, STDOUT or STDERR").checked(Checks::stream);
        flags.text("entrypoint", "Overwrite the default ENTRYPOINT of the image");
        flags.list("e,env", "Set environment variables").checked(Checks::environment);
        flags.list("env-file", "Read in a file of environment variables");
        flags.list("group-add", "Add additional groups to join");
        flags.bool("init", "Run an init inside the container that forwards signals and reaps processes");
        flags.bool("i,interactive", "Keep STDIN open even if not attached");
        flags.bool("t,tty", "Allocate a pseudo-TTY");
        flags.text("u,user", "Username or UID (format: <name|uid>[:<group|gid>])");
        flags.text("w,workdir", "Working directory inside the container");
    }

    private static void files(Flags flags) {
        flags.add("mount", "mount", "Attach a filesystem mount to the container").checked(MountOption::checked);
        flags.bool("read-only", "Mount the container's root filesystem as read only");
        flags.add("shm-size", "bytes", "Size of /dev/shm").checked(Values::bytes);
        flags.list("storage-opt", "Storage driver options for the container");
        flags.list("tmpfs", "Mount a tmpfs directory");
        flags.bool("use-api-socket", "Bind mount Docker API socket and required auth");
        flags.list("v,volume", "Bind mount a volume");
        flags.text("volume-driver", "Optional volume driver for the container");
        flags.list("volumes-from", "Mount volumes from the specified container(s)");
    }

    private static void networks(Flags flags) {
        flags.list("add-host", "Add a custom host-to-IP mapping (host:ip)").checked(Checks::extraHost);
        flags.list("dns", "Set custom DNS servers").checked(Checks::address);
        flags.list("dns-option", "Set DNS options");
        flags.alias("dns-opt", "dns-option");
        flags.list("dns-search", "Set custom DNS search domains").checked(Checks::searchDomain);
        flags.list("expose", "Expose a port or a range of ports");
        flags.text("ip", "IPv4 address (e.g., 172.30.100.104)");
        flags.text("ip6", "IPv6 address (e.g., 2001:db8::33)");
        flags.list("link", "Add link to another container").checked(Checks::link);
        flags.list("link-local-ip", "Container IPv4/IPv6 link-local addresses").checked(Checks::address);
        flags.text("mac-address", "Container MAC address (e.g., 92:d0:c6:0a:29:33)");
        flags.add("network", "network", "Connect a container to a network").checked(NetworkOption::checked);
        flags.alias("net", "network");
        flags.list("network-alias", "Add network-scoped alias for the container");
        flags.alias("net-alias", "network-alias");
        flags.list("p,publish", "Publish a container's port(s) to the host");
        flags.bool("P,publish-all", "Publish all exposed ports to random ports");
    }

    private static void limits(Flags flags) {
        flags.add("blkio-weight", "uint16", "Block IO (relative weight), between 10 and 1000, or 0 to disable")
                .checked(Values::uint16).shown("0");
        flags.text("cgroup-parent", "Optional parent cgroup for the container");
        flags.integer("cpu-count", 0, "CPU count (Windows only)").hidden();
        flags.integer("cpu-percent", 0, "CPU percent (Windows only)").hidden();
        flags.integer("cpu-period", 0, "Limit CPU CFS (Completely Fair Scheduler) period");
        flags.integer("cpu-quota", 0, "Limit CPU CFS (Completely Fair Scheduler) quota");
        flags.integer("cpu-rt-period", 0, "Limit CPU real-time period in microseconds");
        flags.integer("cpu-rt-runtime", 0, "Limit CPU real-time runtime in microseconds");
        flags.integer("c,cpu-shares", 0, "CPU shares (relative weight)");
        flags.add("cpus", "decimal", "Number of CPUs").checked(Values::cpus);
        flags.text("cpuset-cpus", "CPUs in which to allow execution (0-3, 0,1)");
        flags.text("cpuset-mems", "MEMs in which to allow execution (0-3, 0,1)");
        flags.add("io-maxbandwidth", "bytes", "Maximum IO bandwidth limit for the system drive (Windows only)")
                .checked(Values::bytes).hidden();
        flags.add("io-maxiops", "uint", "Maximum IOps limit for the system drive (Windows only)")
                .checked(Values::integer).hidden();
        flags.add("kernel-memory", "bytes", "Kernel memory limit").checked(Values::bytes);
        flags.add("m,memory", "bytes", "Memory limit").checked(Values::bytes);
        flags.add("memory-reservation", "bytes", "Memory soft limit").checked(Values::bytes);
        flags.add("memory-swap", "bytes",
                "Swap limit equal to memory plus swap: '-1' to enable unlimited swap").checked(Values::bytesOrUnlimited);
        flags.integer("memory-swappiness", -1, "Tune container memory swappiness (0 to 100)");
        flags.bool("oom-kill-disable", "Disable OOM Killer");
        flags.integer("oom-score-adj", 0, "Tune host's OOM preferences (-1000 to 1000)");
        flags.integer("pids-limit", 0, "Tune container pids limit (set -1 for unlimited)");
        flags.add("ulimit", "ulimit", "Ulimit options").checked(Checks::ulimit).shown("[]");
    }

    private static void devices(Flags flags) {
        flags.list("blkio-weight-device", "Block IO weight (relative device weight)").checked(Checks::weight).shown("[]");
        flags.list("device", "Add a host device to the container");
        flags.list("device-cgroup-rule", "Add a rule to the cgroup allowed devices list").checked(Checks::deviceRule);
        flags.list("device-read-bps", "Limit read rate (bytes per second) from a device").checked(Checks::byteRate)
                .shown("[]");
        flags.list("device-read-iops", "Limit read rate (IO per second) from a device").checked(Checks::callRate)
                .shown("[]");
        flags.list("device-write-bps", "Limit write rate (bytes per second) to a device").checked(Checks::byteRate)
                .shown("[]");
        flags.list("device-write-iops", "Limit write rate (IO per second) to a device").checked(Checks::callRate)
                .shown("[]");
        flags.add("gpus", "gpu-request", "GPU devices to add to the container ('all' to pass all GPUs)")
                .checked(Checks::gpus);
    }

    private static void isolation(Flags flags) {
        flags.list("cap-add", "Add Linux capabilities");
        flags.list("cap-drop", "Drop Linux capabilities");
        flags.text("cgroupns", """
                Cgroup namespace to use (host|private)
                'host':    Run the container in the Docker host's cgroup namespace
                'private': Run the container in its own private cgroup namespace
                '':        Use the cgroup namespace as configured by the
                           default-cgroupns-mode option on the daemon (default)""");
        flags.text("ipc", "IPC mode to use");
        flags.text("isolation", "Container isolation technology");
        flags.text("pid", "PID namespace to use");
        flags.bool("privileged", "Give extended privileges to this container");
        flags.text("runtime", "Runtime to use for this container");
        flags.list("security-opt", "Security Options");
        flags.add("sysctl", "map", "Sysctl options").checked(Checks::sysctl).shown("map[]");
        flags.text("userns", "User namespace to use");
        flags.text("uts", "UTS namespace to use");
    }

    private static void life(Flags flags) {
        flags.text("health-cmd", "Command to run to check health");
        flags.add("health-interval", "duration", "Time between running the check (ms|s|m|h)").checked(Values::duration)
                .shown("0s");
        flags.integer("health-retries", 0, "Consecutive failures needed to report unhealthy");
        flags.add("health-start-interval", "duration",
                "Time between running the check during the start period (ms|s|m|h)").checked(Values::duration).shown("0s");
        flags.add("health-start-period", "duration",
                "Start period for the container to initialize before starting health-retries countdown (ms|s|m|h)")
                .checked(Values::duration).shown("0s");
        flags.add("health-timeout", "duration", "Maximum time to allow one check to run (ms|s|m|h)")
                .checked(Values::duration).shown("0s");
        flags.text("log-driver", "Logging driver for the container");
        flags.list("log-opt", "Log driver options");
        flags.bool("no-healthcheck", "Disable any container-specified HEALTHCHECK");
        flags.text("restart", "Restart policy to apply when a container exits").otherwise("no");
        flags.bool("rm", "Automatically remove the container and its associated anonymous volumes when it exits");
        flags.text("stop-signal", "Signal to stop the container");
        flags.integer("stop-timeout", 0, "Timeout (in seconds) to stop a container");
    }
}

package carafe.cli.command;

import org.jspecify.annotations.Nullable;

/// All commands by name. Only the one that is asked for is built, so that a cold start pays for no other.
final class Catalog {

    /// The groups, in the order of help.
    static final String[][] GROUPS = {
        {"builder", "Manage builds"},
        {"container", "Manage containers"}, {"image", "Manage images"},
        {"manifest", "Manage image manifests and manifest lists"}, {"network", "Manage networks"},
        {"system", "Manage Carafe"}, {"volume", "Manage volumes"},
    };

    private static final String[][] COMMON = {
        {"run", "Create and run a new container from an image"}, {"exec", "Execute a command in a running container"},
        {"ps", "List containers"}, {"build", "Build an image from a Dockerfile"},
        {"images", "List images"}, {"version", "Show the Carafe version information"},
        {"info", "Display system-wide information"},
    };

    private static final String[][] CONTAINER = {
        {"attach", "Attach local standard input, output, and error streams to a running container"},
        {"commit", "Create a new image from a container's changes"},
        {"cp", "Copy files/folders between a container and the local filesystem"},
        {"create", "Create a new container"},
        {"exec", "Execute a command in a running container"},
        {"export", "Export a container's filesystem as a tar archive"},
        {"inspect", "Display detailed information on one or more containers"},
        {"kill", "Kill one or more running containers"}, {"logs", "Fetch the logs of a container"},
        {"ls", "List containers"}, {"pause", "Pause all processes within one or more containers"},
        {"port", "List port mappings or a specific mapping for the container"},
        {"rename", "Rename a container"}, {"restart", "Restart one or more containers"},
        {"rm", "Remove one or more containers"}, {"run", "Create and run a new container from an image"},
        {"start", "Start one or more stopped containers"}, {"stop", "Stop one or more running containers"},
        {"top", "Display the running processes of a container"},
        {"unpause", "Unpause all processes within one or more containers"},
        {"wait", "Block until one or more containers stop, then print their exit codes"},
    };

    private static final String[][] MANIFEST = {
        {"annotate", "Add additional information to a local image manifest"},
        {"create", "Create a local manifest list for annotating and pushing to a registry"},
        {"inspect", "Display an image manifest, or manifest list"},
        {"push", "Push a manifest list to a repository"},
        {"rm", "Delete one or more manifest lists from local storage"},
    };

    private static final String[][] IMAGE = {
        {"build", "Build an image from a Dockerfile"},
        {"copy", "Copy an image with all its platforms from one registry to another"},
        {"history", "Show the history of an image"},
        {"import", "Import the contents from a tarball to create a filesystem image"},
        {"inspect", "Display detailed information on one or more images"},
        {"load", "Load an image from a tar archive or STDIN"}, {"ls", "List images"},
        {"prune", "Remove unused images"},
        {"pull", "Download an image from a registry"}, {"rm", "Remove one or more images"},
        {"push", "Upload an image to a registry"},
        {"referrers", "List what refers to an image: signatures, attestations"},
        {"save", "Save one or more images to a tar archive (streamed to STDOUT by default)"},
        {"tag", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE"},
        {"tags", "List the tags an image has at its registry"},
    };

    private static final String[][] NETWORK = {
        {"connect", "Connect a container to a network"}, {"create", "Create a network"},
        {"disconnect", "Disconnect a container from a network"},
        {"inspect", "Display detailed information on one or more networks"}, {"ls", "List networks"},
        {"prune", "Remove all unused networks"}, {"rm", "Remove one or more networks"},
    };

    private static final String[][] BUILDER = {
        {"build", "Build an image from a Dockerfile"}, {"du", "Disk usage of what builds keep"},
        {"export", "Write cache mounts of builds into a directory"},
        {"import", "Fill cache mounts that are not there yet from a directory"}, {"prune", "Remove build cache"},
    };

    private static final String[][] SYSTEM = {
        {"check", "Verify everything that is stored, and repair it"}, {"df", "Show disk usage"},
        {"events", "Get real time events from the server"}, {"info", "Display system-wide information"},
    };

    private static final String[][] VOLUME = {
        {"clone", "Copy a volume, with its labels and options, to a new one"}, {"create", "Create a volume"},
        {"export", "Write a volume's content as a tar archive"},
        {"import", "Make a new volume of a tar archive, from a file or STDIN"},
        {"inspect", "Display detailed information on one or more volumes"}, {"ls", "List volumes"},
        {"prune", "Remove unused local volumes"}, {"rename", "Rename a volume that no container uses"},
        {"rm", "Remove one or more volumes"}, {"update", "Update a volume (cluster volumes only)"},
    };

    private static final String[][] OTHER = {
        {"attach", "Attach local standard input, output, and error streams to a running container"},
        {"commit", "Create a new image from a container's changes"},
        {"cp", "Copy files/folders between a container and the local filesystem"},
        {"create", "Create a new container"}, {"events", "Get real time events from the server"},
        {"export", "Export a container's filesystem as a tar archive"},
        {"history", "Show the history of an image"},
        {"import", "Import the contents from a tarball to create a filesystem image"},
        {"inspect", "Return low-level information on Carafe objects"},
        {"kill", "Kill one or more running containers"}, {"load", "Load an image from a tar archive or STDIN"},
        {"login", "Authenticate to a registry"}, {"logout", "Log out from a registry"},
        {"logs", "Fetch the logs of a container"}, {"pause", "Pause all processes within one or more containers"},
        {"port", "List port mappings or a specific mapping for the container"},
        {"pull", "Download an image from a registry"}, {"push", "Upload an image to a registry"},
        {"rename", "Rename a container"}, {"restart", "Restart one or more containers"},
        {"rm", "Remove one or more containers"}, {"rmi", "Remove one or more images"},
        {"save", "Save one or more images to a tar archive (streamed to STDOUT by default)"},
        {"search", "Search Docker Hub for images"},
        {"start", "Start one or more stopped containers"}, {"stop", "Stop one or more running containers"},
        {"tag", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE"},
        {"top", "Display the running processes of a container"},
        {"unpause", "Unpause all processes within one or more containers"},
        {"wait", "Block until one or more containers stop, then print their exit codes"},
    };

    private Catalog() {}

    /// The name and summary of a group's commands; the empty group is the top.
    static String[][] menu(String group) {
        return switch (group) {
            case "builder" -> BUILDER;
            case "container" -> CONTAINER;
            case "image" -> IMAGE;
            case "manifest" -> MANIFEST;
            case "network" -> NETWORK;
            case "system" -> SYSTEM;
            case "volume" -> VOLUME;
            case "common" -> COMMON;
            default -> OTHER;
        };
    }

    /// The summary of a group; null when it is none.
    static @Nullable String group(String name) {
        for (var group : GROUPS) {
            if (group[0].equals(name)) {
                return group[1];
            }
        }
        return null;
    }

    /// The command `name` of a group, the empty one being the top; null when there is none.
    static @Nullable Command find(String group, String name) {
        String path = group.isEmpty() ? name : group + " " + name;
        return switch (group) {
            case "builder" -> switch (name) {
                case "build" -> Build.command(path);
                case "du" -> BuildCache.usage(path);
                case "export" -> CacheDirectory.exported(path);
                case "import" -> CacheDirectory.imported(path);
                case "prune" -> BuildCache.prune(path);
                default -> null;
            };
            case "container" -> container(name, path);
            case "image" -> image(name, path);
            case "manifest" -> manifest(name, path);
            case "network" -> network(name, path);
            case "system" -> switch (name) {
                case "events", "info" -> top(name, path);
                case "df" -> DiskUsage.command(path);
                case "check" -> Check.command(path);
                default -> null;
            };
            case "volume" -> volume(name, path);
            default -> top(name, path);
        };
    }

    private static @Nullable Command volume(String name, String path) {
        return switch (name) {
            case "clone" -> VolumeCommands.duplicate(path);
            case "create" -> VolumeCommands.create(path);
            case "export" -> VolumeCommands.pack(path);
            case "import" -> VolumeCommands.unpack(path);
            case "inspect" -> Inspect.command(path, "volume");
            case "ls", "list" -> VolumeCommands.list(path);
            case "prune" -> VolumeCommands.prune(path);
            case "rename" -> VolumeCommands.rename(path);
            case "rm", "remove" -> VolumeCommands.remove(path);
            case "update" -> ClusterVolumes.update(path);
            default -> null;
        };
    }

    private static @Nullable Command top(String name, String path) {
        return switch (name) {
            case "ps" -> Ps.command(path);
            case "images" -> Images.command(path);
            case "rmi" -> RemoveImages.command(path);
            case "inspect" -> Inspect.command(path, "");
            case "version" -> Version.command(path);
            case "info" -> Info.command(path);
            case "events" -> Events.command(path);
            case "load", "save", "import", "tag", "history", "pull", "push", "build" -> image(name, path);
            case "login" -> Login.in(path);
            case "logout" -> Login.out(path);
            case "search" -> Search.command(path);
            case "ls", "list", "remove" -> null;
            default -> container(name, path);
        };
    }

    private static @Nullable Command container(String name, String path) {
        return switch (name) {
            case "run" -> Run.command(path);
            case "create" -> Create.command(path);
            case "exec" -> Exec.command(path);
            case "ls", "ps", "list" -> Ps.command(path);
            case "start" -> Start.command(path);
            case "attach" -> Attach.command(path);
            case "cp" -> Copying.command(path);
            case "logs" -> Logs.command(path);
            case "rm", "remove" -> Lifecycle.remove(path);
            case "stop" -> Lifecycle.stop(path);
            case "restart" -> Lifecycle.restart(path);
            case "kill" -> Lifecycle.kill(path);
            case "pause" -> Lifecycle.pause(path);
            case "unpause" -> Lifecycle.unpause(path);
            case "wait" -> Lifecycle.await(path);
            case "rename" -> Lifecycle.rename(path);
            case "top" -> Top.command(path);
            case "port" -> Port.command(path);
            case "commit" -> Commit.command(path);
            case "export" -> Export.command(path);
            case "inspect" -> Inspect.command(path, "container");
            default -> null;
        };
    }

    private static @Nullable Command manifest(String name, String path) {
        return switch (name) {
            case "annotate" -> Manifest.annotate(path);
            case "create" -> Manifest.create(path);
            case "inspect" -> Manifest.inspect(path);
            case "push" -> Manifest.push(path);
            case "rm" -> Manifest.remove(path);
            default -> null;
        };
    }

    private static @Nullable Command network(String name, String path) {
        return switch (name) {
            case "ls", "list" -> NetworkCommands.list(path);
            case "create" -> NetworkCreate.command(path);
            case "connect" -> NetworkCommands.connect(path);
            case "disconnect" -> NetworkCommands.disconnect(path);
            case "rm", "remove" -> NetworkCommands.remove(path);
            case "prune" -> NetworkCommands.prune(path);
            case "inspect" -> Inspect.command(path, "network");
            default -> null;
        };
    }

    private static @Nullable Command image(String name, String path) {
        return switch (name) {
            case "ls", "list" -> Images.command(path);
            case "rm", "remove" -> RemoveImages.command(path);
            case "inspect" -> Inspect.command(path, "image");
            case "build" -> Build.command(path);
            case "load" -> Load.command(path);
            case "tag" -> Tag.command(path);
            case "history" -> History.command(path);
            case "pull" -> Pull.command(path);
            case "push" -> Push.command(path);
            case "tags" -> RemoteTags.command(path);
            case "referrers" -> Referrers.command(path);
            case "copy" -> CopyImage.command(path);
            case "save" -> Save.command(path);
            case "import" -> Import.command(path);
            case "prune" -> PruneImages.command(path);
            default -> null;
        };
    }
}

package carafe.cli.command;

import org.jspecify.annotations.Nullable;

/// All commands by name. Only the one that is asked for is built, so that a cold start pays for no other.
final class Catalog {

    /// The groups, in the order of help.
    static final String[][] GROUPS = {
        {"container", "Manage containers"}, {"image", "Manage images"}, {"network", "Manage networks"},
        {"system", "Manage Carafe"},
    };

    private static final String[][] COMMON = {
        {"run", "Create and run a new container from an image"}, {"exec", "Execute a command in a running container"},
        {"ps", "List containers"}, {"images", "List images"}, {"version", "Show the Carafe version information"},
        {"info", "Display system-wide information"},
    };

    private static final String[][] CONTAINER = {
        {"attach", "Attach local standard input, output, and error streams to a running container"},
        {"create", "Create a new container"},
        {"exec", "Execute a command in a running container"},
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

    private static final String[][] IMAGE = {
        {"history", "Show the history of an image"}, {"inspect", "Display detailed information on one or more images"},
        {"load", "Load an image from a tar archive or STDIN"}, {"ls", "List images"},
        {"pull", "Download an image from a registry"}, {"rm", "Remove one or more images"},
        {"tag", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE"},
    };

    private static final String[][] NETWORK = {
        {"connect", "Connect a container to a network"}, {"create", "Create a network"},
        {"disconnect", "Disconnect a container from a network"},
        {"inspect", "Display detailed information on one or more networks"}, {"ls", "List networks"},
        {"prune", "Remove all unused networks"}, {"rm", "Remove one or more networks"},
    };

    private static final String[][] SYSTEM = {
        {"events", "Get real time events from the server"}, {"info", "Display system-wide information"},
    };

    private static final String[][] OTHER = {
        {"attach", "Attach local standard input, output, and error streams to a running container"},
        {"create", "Create a new container"}, {"events", "Get real time events from the server"},
        {"history", "Show the history of an image"},
        {"inspect", "Return low-level information on Carafe objects"},
        {"kill", "Kill one or more running containers"}, {"load", "Load an image from a tar archive or STDIN"},
        {"logs", "Fetch the logs of a container"}, {"pause", "Pause all processes within one or more containers"},
        {"port", "List port mappings or a specific mapping for the container"},
        {"pull", "Download an image from a registry"},
        {"rename", "Rename a container"}, {"restart", "Restart one or more containers"},
        {"rm", "Remove one or more containers"}, {"rmi", "Remove one or more images"},
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
            case "container" -> CONTAINER;
            case "image" -> IMAGE;
            case "network" -> NETWORK;
            case "system" -> SYSTEM;
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
            case "container" -> container(name, path);
            case "image" -> image(name, path);
            case "network" -> network(name, path);
            case "system" -> switch (name) {
                case "events", "info" -> top(name, path);
                default -> null;
            };
            default -> top(name, path);
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
            case "load", "tag", "history", "pull" -> image(name, path);
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
            case "inspect" -> Inspect.command(path, "container");
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
            case "load" -> Load.command(path);
            case "tag" -> Tag.command(path);
            case "history" -> History.command(path);
            case "pull" -> Pull.command(path);
            default -> null;
        };
    }
}

package carafe.network;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// What containers of a stage see of each other, and what `ip` says inside them and on the stage's host.
record Neighbours(FabricStage stage) {

    private static final Path TOOLS = Path.of(System.getProperty("carafe.root"), "e2e/target/tools/netfilter");
    private static final int PORT = 7777;

    /// Whether a connection from one reaches the other at that address of its within so many milliseconds.
    boolean reach(Sandbox from, Sandbox to, String address, int millis) throws Exception {
        try (var there = stage.enter(to); var here = stage.enter(from)) {
            var server = stage.thread().inside(there.handle(), () -> listening(address));
            try (server) {
                return stage.thread().inside(here.handle(), () -> connects(address, millis));
            }
        }
    }

    private static ServerSocket listening(String address) {
        try {
            var server = new ServerSocket();
            server.bind(new InetSocketAddress(InetAddress.getByName(address), PORT));
            return server;
        } catch (IOException e) {
            throw new AssertionError("cannot listen at " + address, e);
        }
    }

    private static boolean connects(String address, int millis) {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getByName(address), PORT), millis);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /// What `ip` prints inside.
    String ip(Sandbox sandbox, String... words) throws Exception {
        try (var inside = stage.enter(sandbox)) {
            return printed(inside, words);
        }
    }

    /// What `ip` prints on the stage's host.
    String hostIp(String... words) throws Exception {
        return printed(stage.host(), words);
    }

    private String printed(carafe.kernel.NetNamespace namespace, String... words) throws Exception {
        var command = new ArrayList<>(List.of(TOOLS.resolve("usr/bin/ip").toString()));
        command.addAll(List.of(words));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("LD_LIBRARY_PATH", TOOLS.resolve("usr/lib").resolve(
                System.getProperty("os.arch").equals("aarch64") ? "aarch64-linux-gnu" : "x86_64-linux-gnu").toString());
        var process = stage.thread().inside(namespace.handle(), () -> {
            try {
                return builder.start();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new AssertionError(String.join(" ", command) + ": " + output);
        }
        return output;
    }
}

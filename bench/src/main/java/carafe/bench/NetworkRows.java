package carafe.bench;

import carafe.bench.Samples.Row;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// What networks cost beside their first container: traffic through a published port, a start beside a thousand ports,
/// a thousand containers across bridges.
final class NetworkRows {

    private static final String BRIDGE = "bench-ports";
    private static final int SERVICE = 7000;
    private static final int PORTS = 1000;
    private static final int FIRST_PORT = 20_000;
    private static final int BRIDGES = 4;
    private static final int CONTAINERS = 1000;
    private static final int REQUESTS = 3000;
    private static final byte[] REQUEST = "GET / HTTP/1.1\r\nHost: bench\r\nConnection: keep-alive\r\nAccept: */*\r\n\r\n"
            .getBytes(StandardCharsets.US_ASCII);
    private static final Pattern ADDRESS = Pattern.compile("\"IPAddress\":\"([0-9.]+)\"");

    private final Samples samples;
    private final int samplesPerRound;

    NetworkRows(Samples samples, int samplesPerRound) {
        this.samples = samples;
        this.samplesPerRound = samplesPerRound;
    }

    void addTo(Map<String, Rows.Work> all) {
        all.put("published", peer -> onBridges(peer, 1, this::published));
        all.put("thousand-ports", peer -> onBridges(peer, 1, this::thousandPorts));
        all.put("thousand", peer -> onBridges(peer, BRIDGES, this::thousand));
    }

    private interface Work {
        void measure(Peer peer, Api api) throws Exception;
    }

    private static void onBridges(Peer peer, int count, Work work) throws Exception {
        try (Api api = peer.connect()) {
            for (int i = 0; i < count; i++) {
                api.post("/networks/create", "{\"Name\":\"" + BRIDGE + i + "\",\"Driver\":\"bridge\"}");
            }
            try {
                work.measure(peer, api);
            } finally {
                for (int i = 0; i < count; i++) {
                    api.delete("/networks/" + BRIDGE + i);
                }
            }
        }
    }

    /// Requests that are echoed, one after the other on one kept connection; the two ways take turns.
    private void published(Peer peer, Api api) throws Exception {
        int port = freePort();
        String id = start(api, 0, "[\"nc\",\"-ll\",\"-p\",\"" + SERVICE + "\",\"-e\",\"cat\"]", port, 1);
        try {
            var direct = new InetSocketAddress(addressOf(api, id), SERVICE);
            var published = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
            echoes(direct);
            for (int i = 0; i < samplesPerRound; i++) {
                double straight = echoes(direct);
                double led = echoes(published);
                samples.add(new Row("requests on a kept connection, straight to the container", "/s", false), peer.name(),
                        straight);
                samples.add(new Row("the same through a published port", "/s", false), peer.name(), led);
                samples.add(new Row("published as a share of straight", "%", false), peer.name(), 100 * led / straight);
            }
        } finally {
            api.delete("/containers/" + id + "?force=1");
        }
    }

    private static double echoes(InetSocketAddress address) throws IOException {
        try (var socket = connected(address)) {
            socket.setTcpNoDelay(true);
            InputStream in = socket.getInputStream();
            long begin = System.nanoTime();
            for (int i = 0; i < REQUESTS; i++) {
                socket.getOutputStream().write(REQUEST);
                if (in.readNBytes(REQUEST.length).length < REQUEST.length) {
                    throw new IOException(address + " closed the connection");
                }
            }
            return REQUESTS / ((System.nanoTime() - begin) / 1e9);
        }
    }

    /// The server may still be starting.
    private static Socket connected(InetSocketAddress address) throws IOException {
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (true) {
            var socket = new Socket();
            try {
                socket.connect(address, 5000);
                return socket;
            } catch (IOException e) {
                socket.close();
                if (System.nanoTime() > deadline) {
                    throw new IOException(address + ": " + e.getMessage(), e);
                }
                java.util.concurrent.locks.LockSupport.parkNanos(5_000_000);
            }
        }
    }

    private void thousandPorts(Peer peer, Api api) throws Exception {
        lifecycles(peer, api, new Row("create+start+kill+delete with a published port, no other published", "ms", true));
        long begin = System.nanoTime();
        String holder = start(api, 0, "[\"sleep\",\"600\"]", FIRST_PORT, PORTS);
        samples.add(new Row("create and start with 1000 published ports", "ms", true), peer.name(),
                (System.nanoTime() - begin) / 1e6);
        try {
            lifecycles(peer, api, new Row("create+start+kill+delete with a published port, 1000 others published", "ms", true));
        } finally {
            api.delete("/containers/" + holder + "?force=1");
        }
    }

    private void lifecycles(Peer peer, Api api, Row row) throws IOException {
        for (int i = 0; i < samplesPerRound; i++) {
            int port = freePort();
            long begin = System.nanoTime();
            String id = start(api, 0, "[\"sleep\",\"600\"]", port, 1);
            api.delete("/containers/" + id + "?force=1");
            samples.add(row, peer.name(), (System.nanoTime() - begin) / 1e6);
        }
    }

    private void thousand(Peer peer, Api api) throws IOException {
        var ids = new ArrayList<String>();
        try {
            for (int hundred = 0; hundred < CONTAINERS / 100; hundred++) {
                long begin = System.nanoTime();
                for (int i = 0; i < 100; i++) {
                    ids.add(start(api, i % BRIDGES, "[\"sleep\",\"600\"]", 0, 0));
                }
                if (hundred == 0 || hundred == CONTAINERS / 100 - 1) {
                    samples.add(new Row("create and start, each of the " + (hundred == 0 ? "first" : "last")
                                    + " 100 of 1000 containers on 4 bridges", "ms", true), peer.name(),
                            (System.nanoTime() - begin) / 1e8);
                }
            }
            samples.add(new Row("daemon memory (PSS), 1000 running on 4 bridges", "MiB", true), peer.name(),
                    peer.daemonMemory() / 1024.0);
        } finally {
            long begin = System.nanoTime();
            for (String id : ids) {
                api.delete("/containers/" + id + "?force=1");
            }
            samples.add(new Row("removal of the 1000, one after the other", "s", true), peer.name(),
                    (System.nanoTime() - begin) / 1e9);
        }
    }

    /// Creates and starts a container of one of the bridges, `count` ports of the host from `port` on leading to it.
    private static String start(Api api, int bridge, String command, int port, int count) throws IOException {
        var exposed = new ArrayList<String>();
        var ports = new ArrayList<String>();
        for (int i = 0; i < count; i++) {
            exposed.add("\"" + (SERVICE + i) + "/tcp\":{}");
            ports.add("\"" + (SERVICE + i) + "/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"" + (port + i) + "\"}]");
        }
        String id = Rows.id(api.post("/containers/create", """
                {"Image":"%s","Cmd":%s,"ExposedPorts":{%s},"HostConfig":{"NetworkMode":"%s","PortBindings":{%s}}}"""
                .formatted(Rows.IMAGE, command, String.join(",", exposed), BRIDGE + bridge, String.join(",", ports))).text());
        api.post("/containers/" + id + "/start", "");
        return id;
    }

    private static String addressOf(Api api, String id) throws IOException {
        var found = ADDRESS.matcher(api.get("/containers/" + id + "/json").text());
        List<String> addresses = found.results().map(result -> result.group(1)).toList();
        if (addresses.isEmpty()) {
            throw new IOException("container " + id + " has no address");
        }
        return addresses.getLast();
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}

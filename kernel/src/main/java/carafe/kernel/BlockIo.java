package carafe.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// What cgroups say of block devices: lines `8:0 Read 4096` on v1, `8:0 rbytes=4096 rios=1` on v2.
final class BlockIo {

    private BlockIo() {}

    static List<CgroupStats.Io> parseV1(String bytes, String operations) {
        var devices = new TreeMap<String, long[]>();
        collectV1(bytes, devices, 0);
        collectV1(operations, devices, 2);
        return records(devices);
    }

    private static void collectV1(String text, Map<String, long[]> devices, int first) {
        for (String line : text.split("\n")) {
            String[] fields = line.split(" ");
            if (fields.length == 3) {
                switch (fields[1].toLowerCase(Locale.ROOT)) {
                    case "read" -> slot(devices, fields[0])[first] += KeyedNumbers.number(fields[2]);
                    case "write" -> slot(devices, fields[0])[first + 1] += KeyedNumbers.number(fields[2]);
                    default -> { } // Sync, Async, Discard and Total count the same transfers again
                }
            }
        }
    }

    static List<CgroupStats.Io> parseV2(String text) {
        var devices = new TreeMap<String, long[]>();
        for (String line : text.split("\n")) {
            String[] fields = line.split(" ");
            for (int i = 1; i < fields.length; i++) {
                int equals = fields[i].indexOf('=');
                int index = equals < 0 ? -1 : List.of("rbytes", "wbytes", "rios", "wios")
                        .indexOf(fields[i].substring(0, equals));
                if (index >= 0) {
                    slot(devices, fields[0])[index] += KeyedNumbers.number(fields[i].substring(equals + 1));
                }
            }
        }
        return records(devices);
    }

    private static long[] slot(Map<String, long[]> devices, String device) {
        return devices.computeIfAbsent(device, _ -> new long[4]);
    }

    private static List<CgroupStats.Io> records(Map<String, long[]> devices) {
        var all = new ArrayList<CgroupStats.Io>();
        devices.forEach((device, n) -> {
            String[] numbers = device.split(":");
            if (numbers.length == 2) {
                all.add(new CgroupStats.Io(KeyedNumbers.number(numbers[0]), KeyedNumbers.number(numbers[1]),
                        n[0], n[1], n[2], n[3]));
            }
        });
        return all;
    }
}

@NullMarked
package carafe.http;

import org.jspecify.annotations.NullMarked;

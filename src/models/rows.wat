;; Adds up rows of bytes, sixteen at a time, for `shrinkRows` in tensor.ts. The bytes in rows.ts are made of this text; test/unit/rows.test.ts compares.
;;
;; The memory holds, for rows padded to `stride` bytes, a multiple of 16:
;;   from  0             up to 16 rows of bytes, the first one first
;;   from 16 x stride    an unsigned 32-bit number per byte of a row: the plain sum of all rows so far
;;   from 20 x stride    another one: the sum in which the last row counts once, the one before it twice, and so on
(module
  (memory (export "memory") 1)

  ;; Adds `rows` of the rows held, 1..16, to both sums.
  (func (export "add") (param $rows i32) (param $stride i32)
    (local $at i32) (local $from i32) (local $left i32) (local $to i32) (local $toFalling i32)
    (local $line v128) (local $count v128)
    ;; 16 rows of 255 stay below 65,536 in both: 16 x 17 / 2 x 255 = 34,680.
    (local $low v128) (local $high v128) (local $lowFalling v128) (local $highFalling v128)
    (local.set $count (i32x4.splat (local.get $rows)))
    (loop $columns
      (local.set $low (v128.const i32x4 0 0 0 0))
      (local.set $high (v128.const i32x4 0 0 0 0))
      (local.set $lowFalling (v128.const i32x4 0 0 0 0))
      (local.set $highFalling (v128.const i32x4 0 0 0 0))
      (local.set $from (local.get $at))
      (local.set $left (local.get $rows))
      (loop $next
        (local.set $line (v128.load (local.get $from)))
        (local.set $low (i16x8.add (local.get $low) (i16x8.extend_low_i8x16_u (local.get $line))))
        (local.set $high (i16x8.add (local.get $high) (i16x8.extend_high_i8x16_u (local.get $line))))
        (local.set $lowFalling (i16x8.add (local.get $lowFalling) (local.get $low)))
        (local.set $highFalling (i16x8.add (local.get $highFalling) (local.get $high)))
        (local.set $from (i32.add (local.get $from) (local.get $stride)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $next (local.get $left)))
      (local.set $to (i32.add (i32.mul (local.get $stride) (i32.const 16)) (i32.shl (local.get $at) (i32.const 2))))
      (local.set $toFalling (i32.add (local.get $to) (i32.shl (local.get $stride) (i32.const 2))))
      (call $put (local.get $to) (local.get $toFalling) (local.get $count)
        (i32x4.extend_low_i16x8_u (local.get $low)) (i32x4.extend_low_i16x8_u (local.get $lowFalling)))
      (call $put (i32.add (local.get $to) (i32.const 16)) (i32.add (local.get $toFalling) (i32.const 16)) (local.get $count)
        (i32x4.extend_high_i16x8_u (local.get $low)) (i32x4.extend_high_i16x8_u (local.get $lowFalling)))
      (call $put (i32.add (local.get $to) (i32.const 32)) (i32.add (local.get $toFalling) (i32.const 32)) (local.get $count)
        (i32x4.extend_low_i16x8_u (local.get $high)) (i32x4.extend_low_i16x8_u (local.get $highFalling)))
      (call $put (i32.add (local.get $to) (i32.const 48)) (i32.add (local.get $toFalling) (i32.const 48)) (local.get $count)
        (i32x4.extend_high_i16x8_u (local.get $high)) (i32x4.extend_high_i16x8_u (local.get $highFalling)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $columns (i32.lt_u (local.get $at) (local.get $stride)))))

  ;; Adds what `count` rows come to at four places: each earlier row counts `count` times more in the falling sum.
  (func $put (param $to i32) (param $toFalling i32) (param $count v128) (param $sum v128) (param $falling v128)
    (v128.store (local.get $toFalling)
      (i32x4.add
        (i32x4.add (v128.load (local.get $toFalling)) (local.get $falling))
        (i32x4.mul (v128.load (local.get $to)) (local.get $count))))
    (v128.store (local.get $to) (i32x4.add (v128.load (local.get $to)) (local.get $sum))))
)

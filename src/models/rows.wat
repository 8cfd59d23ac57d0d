;; The inner loops of resampling, for rows.ts. The bytes in it are made of this text; test/unit/rows.test.ts compares.
;;
;; The memory holds up to 16 rows of bytes, `stride` apart, from 0 on, a multiple of 16. Behind them stand two sums over rows that were added, one
;; array of integers after the other, `stride` of them each: the plain one, and the one in which each row counts as often as its number says. They
;; begin with anything and are cut to 32 bits: by how much they grow is what counts, and stays below 2 to the power of 31.
;;
;; For each output picture that is made of the rows there are four arrays behind each other, of `size` bytes each: a number of 4 bytes for each byte of
;; its part of a row, which is padded to a multiple of 16:
;;   at `own`            integers, two arrays: what is to be added to both sums for it alone
;;   then                floats: what the next output row has so far
;;   then                floats: an output row
(module
  (memory (export "memory") 1)

  ;; Adds rows of bytes to both sums, arrays of `size` bytes behind each other: `rows` of them, 1..16, of which the first begins at `at` and the last is the
  ;; one before the row `behind`.
  (func (export "add") (param $at i32) (param $stride i32) (param $rows i32) (param $behind i32) (param $sums i32) (param $size i32)
    (local $from i32) (local $left i32) (local $numbered i32) (local $end i32)
    (local $line v128) (local $number v128) (local $sum v128)
    ;; 16 rows of 255 stay below 65,536 in all of these. In a falling sum the last row counts once, the one before it twice, and so on: 16 x 17 / 2 x 255 = 34,680.
    (local $low v128) (local $high v128) (local $lowFalling v128) (local $highFalling v128)
    (local.set $number (i32x4.splat (local.get $behind)))
    (local.set $numbered (i32.add (local.get $sums) (local.get $size)))
    (local.set $end (local.get $numbered))
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
      ;; As often as the number of the row behind says, less what falls up to there, is as often as its own says.
      (v128.store offset=0 (local.get $sums)
        (i32x4.add (v128.load offset=0 (local.get $sums)) (local.tee $sum (i32x4.extend_low_i16x8_u (local.get $low)))))
      (v128.store offset=0 (local.get $numbered)
        (i32x4.add (v128.load offset=0 (local.get $numbered))
          (i32x4.sub (i32x4.mul (local.get $number) (local.get $sum)) (i32x4.extend_low_i16x8_u (local.get $lowFalling)))))
      (v128.store offset=16 (local.get $sums)
        (i32x4.add (v128.load offset=16 (local.get $sums)) (local.tee $sum (i32x4.extend_high_i16x8_u (local.get $low)))))
      (v128.store offset=16 (local.get $numbered)
        (i32x4.add (v128.load offset=16 (local.get $numbered))
          (i32x4.sub (i32x4.mul (local.get $number) (local.get $sum)) (i32x4.extend_high_i16x8_u (local.get $lowFalling)))))
      (v128.store offset=32 (local.get $sums)
        (i32x4.add (v128.load offset=32 (local.get $sums)) (local.tee $sum (i32x4.extend_low_i16x8_u (local.get $high)))))
      (v128.store offset=32 (local.get $numbered)
        (i32x4.add (v128.load offset=32 (local.get $numbered))
          (i32x4.sub (i32x4.mul (local.get $number) (local.get $sum)) (i32x4.extend_low_i16x8_u (local.get $highFalling)))))
      (v128.store offset=48 (local.get $sums)
        (i32x4.add (v128.load offset=48 (local.get $sums)) (local.tee $sum (i32x4.extend_high_i16x8_u (local.get $high)))))
      (v128.store offset=48 (local.get $numbered)
        (i32x4.add (v128.load offset=48 (local.get $numbered))
          (i32x4.sub (i32x4.mul (local.get $number) (local.get $sum)) (i32x4.extend_high_i16x8_u (local.get $highFalling)))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (local.set $sums (i32.add (local.get $sums) (i32.const 64)))
      (local.set $numbered (i32.add (local.get $numbered) (i32.const 64)))
      (br_if $columns (i32.lt_u (local.get $sums) (local.get $end)))))

  ;; Makes an output row of the rows before the row `behind` and of what it has so far, begins the next with them, and leaves them out from then on.
  ;; Its part of the sums begins at `sums`; they are `stride` numbers apart.
  (func (export "finish") (param $sums i32) (param $stride i32) (param $own i32) (param $size i32)
    (param $behind i32) (param $upper f32) (param $lower f32) (param $scale f32)
    (local $numbered i32) (local $ownNumbered i32) (local $begun i32) (local $end i32)
    (local $sum v128) (local $sumNumbered v128) (local $plain v128) (local $falling v128)
    (local.set $numbered (i32.add (local.get $sums) (i32.shl (local.get $stride) (i32.const 2))))
    (local.set $ownNumbered (i32.add (local.get $own) (local.get $size)))
    (local.set $begun (i32.add (local.get $ownNumbered) (local.get $size)))
    (local.set $end (local.get $ownNumbered))
    (loop $columns
      (local.set $sum (v128.load (local.get $sums)))
      (local.set $sumNumbered (v128.load (local.get $numbered)))
      (local.set $plain (i32x4.add (local.get $sum) (v128.load (local.get $own))))
      (local.set $falling (f32x4.convert_i32x4_s
        (i32x4.sub (i32x4.mul (i32x4.splat (local.get $behind)) (local.get $plain))
          (i32x4.add (local.get $sumNumbered) (v128.load (local.get $ownNumbered))))))
      (local.set $plain (f32x4.convert_i32x4_s (local.get $plain)))
      (v128.store (i32.add (local.get $begun) (local.get $size))
        (f32x4.mul (f32x4.splat (local.get $scale))
          (f32x4.add (f32x4.add (v128.load (local.get $begun)) (local.get $falling))
            (f32x4.mul (f32x4.splat (local.get $upper)) (local.get $plain)))))
      (v128.store (local.get $begun)
        (f32x4.sub (f32x4.mul (f32x4.splat (local.get $lower)) (local.get $plain)) (local.get $falling)))
      (v128.store (local.get $own) (i32x4.neg (local.get $sum)))
      (v128.store (local.get $ownNumbered) (i32x4.neg (local.get $sumNumbered)))
      (local.set $sums (i32.add (local.get $sums) (i32.const 16)))
      (local.set $numbered (i32.add (local.get $numbered) (i32.const 16)))
      (local.set $own (i32.add (local.get $own) (i32.const 16)))
      (local.set $ownNumbered (i32.add (local.get $ownNumbered) (i32.const 16)))
      (local.set $begun (i32.add (local.get $begun) (i32.const 16)))
      (br_if $columns (i32.lt_u (local.get $own) (local.get $end)))))

  ;; Mixes pixels of a row of floats: `count` for each output, whose places, counted in values from `row` on, stand at `sources`, and their
  ;; weights at `weights`. Each output is four floats, of which the fourth belongs to the next pixel.
  (func (export "mix") (param $row i32) (param $count i32) (param $sources i32) (param $weights i32) (param $to i32) (param $end i32)
    (local $left i32) (local $mixed v128)
    (loop $outputs
      (local.set $mixed (v128.const i32x4 0 0 0 0))
      (local.set $left (local.get $count))
      (loop $next
        (local.set $mixed (f32x4.add (local.get $mixed)
          (f32x4.mul (v128.load32_splat (local.get $weights))
            (v128.load (i32.add (local.get $row) (i32.shl (i32.load (local.get $sources)) (i32.const 2)))))))
        (local.set $sources (i32.add (local.get $sources) (i32.const 4)))
        (local.set $weights (i32.add (local.get $weights) (i32.const 4)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $next (local.get $left)))
      (v128.store (local.get $to) (local.get $mixed))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (br_if $outputs (i32.lt_u (local.get $to) (local.get $end)))))

  ;; Mixes pixels of the first two rows of bytes, for each output two of either row, side by side: their places stand at `sources`, as for `mix`,
  ;; and their weights, of 8 bytes, at `weights`. Sums over two rows are exact where `upper` and `lower` are multiples of 1 / 65,536.
  (func (export "mixTwo") (param $stride i32) (param $upper f32) (param $lower f32) (param $sources i32) (param $weights i32) (param $to i32) (param $end i32)
    (local $upperAll v128) (local $lowerAll v128) (local $left v128) (local $right v128) (local $near v128) (local $far v128)
    (local.set $upperAll (f32x4.splat (local.get $upper)))
    (local.set $lowerAll (f32x4.splat (local.get $lower)))
    (loop $outputs
      (local.set $left (call $twoRows (i32.load (local.get $sources)) (local.get $stride) (local.get $upperAll) (local.get $lowerAll)))
      (local.set $right (call $twoRows (i32.load offset=4 (local.get $sources)) (local.get $stride) (local.get $upperAll) (local.get $lowerAll)))
      (local.set $near (v128.load64_splat (local.get $weights)))
      (local.set $far (v128.load64_splat offset=8 (local.get $weights)))
      (v128.store (local.get $to)
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
          (call $mixPair (local.get $near) (local.get $far) (local.get $left) (local.get $right))
          (call $mixPair (local.get $near) (local.get $far)
            (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $left) (local.get $left))
            (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $right) (local.get $right)))))
      (local.set $sources (i32.add (local.get $sources) (i32.const 8)))
      (local.set $weights (i32.add (local.get $weights) (i32.const 16)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (br_if $outputs (i32.lt_u (local.get $to) (local.get $end)))))

  ;; A pixel of the first row of bytes and the one below it.
  (func $twoRows (param $at i32) (param $stride i32) (param $upper v128) (param $lower v128) (result v128)
    (f32x4.add
      (f32x4.mul (local.get $upper) (call $pixel (local.get $at)))
      (f32x4.mul (local.get $lower) (call $pixel (i32.add (local.get $at) (local.get $stride))))))

  ;; Two values of either pixel, mixed in 64 bits: some of what becomes of them is rounded to whole levels, where the last bit tells.
  (func $mixPair (param $near v128) (param $far v128) (param $left v128) (param $right v128) (result v128)
    (f32x4.demote_f64x2_zero
      (f64x2.add
        (f64x2.mul (local.get $near) (f64x2.promote_low_f32x4 (local.get $left)))
        (f64x2.mul (local.get $far) (f64x2.promote_low_f32x4 (local.get $right))))))

  ;; Four bytes as floats, of which the fourth belongs to the next pixel.
  (func $pixel (param $at i32) (result v128)
    (f32x4.convert_i32x4_s (i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u (v128.load32_zero (local.get $at))))))

  ;; Takes the colours of the outputs from `from` to `end` apart, four outputs at a time: a plane for each of the three, of `plane` bytes,
  ;; stands behind `end`. Each value is multiplied by `scale`, and `offset` is added.
  (func (export "part") (param $from i32) (param $end i32) (param $plane i32) (param $scale f32) (param $offset f32)
    (local $to i32) (local $redGreen v128) (local $redGreenNext v128) (local $blue v128) (local $blueNext v128)
    (local.set $to (local.get $end))
    (loop $outputs
      (local.set $redGreen
        (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (v128.load (local.get $from)) (v128.load offset=16 (local.get $from))))
      (local.set $redGreenNext
        (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (v128.load offset=32 (local.get $from)) (v128.load offset=48 (local.get $from))))
      (local.set $blue
        (i8x16.shuffle 8 9 10 11 24 25 26 27 8 9 10 11 24 25 26 27 (v128.load (local.get $from)) (v128.load offset=16 (local.get $from))))
      (local.set $blueNext
        (i8x16.shuffle 8 9 10 11 24 25 26 27 8 9 10 11 24 25 26 27 (v128.load offset=32 (local.get $from)) (v128.load offset=48 (local.get $from))))
      (call $level (local.get $to) (local.get $scale) (local.get $offset)
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $redGreen) (local.get $redGreenNext)))
      (call $level (i32.add (local.get $to) (local.get $plane)) (local.get $scale) (local.get $offset)
        (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $redGreen) (local.get $redGreenNext)))
      (call $level (i32.add (local.get $to) (i32.shl (local.get $plane) (i32.const 1))) (local.get $scale) (local.get $offset)
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $blue) (local.get $blueNext)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (local.set $from (i32.add (local.get $from) (i32.const 64)))
      (br_if $outputs (i32.lt_u (local.get $from) (local.get $end)))))

  (func $level (param $to i32) (param $scale f32) (param $offset f32) (param $values v128)
    (v128.store (local.get $to)
      (f32x4.add (f32x4.splat (local.get $offset)) (f32x4.mul (f32x4.splat (local.get $scale)) (local.get $values)))))
)

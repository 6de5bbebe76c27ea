;;; hgbroker-changes.el --- Marks at changed lines  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: GPL-2.0-or-later

;;; Commentary:

;; How a buffer, saved or not, differs from the file in the first parent: marks
;; in the left fringe, or in the margin where there is none.  The broker compares
;; (hg/lineDiff with the buffer's content); one comparison is under way for a
;; buffer at a time, and an answer that the buffer has outrun is not shown.

;;; Code:

(require 'cl-lib)
(require 'hgbroker)

(defcustom hgbroker-changes-delay 0.15
  "Seconds of rest after a change before a buffer is compared."
  :type 'number
  :group 'hgbroker)

(defcustom hgbroker-changes-max-size (* 1024 1024)
  "Buffers with more characters than this are not compared."
  :type 'integer
  :group 'hgbroker)

(defface hgbroker-added '((t :inherit diff-indicator-added))
  "Marks of added lines."
  :group 'hgbroker)

(defface hgbroker-changed '((t :inherit diff-indicator-changed))
  "Marks of changed lines."
  :group 'hgbroker)

(defface hgbroker-removed '((t :inherit diff-indicator-removed))
  "Marks where lines were removed."
  :group 'hgbroker)

(when (fboundp 'define-fringe-bitmap)
  (define-fringe-bitmap 'hgbroker-bar [#b11100000] nil nil '(center repeated))
  (define-fringe-bitmap 'hgbroker-gap [#b11111111 #b01111110 #b00111100 #b00011000]))

(defconst hgbroker-changes--looks
  '((added "+" hgbroker-bar hgbroker-added)
    (changed "~" hgbroker-bar hgbroker-changed)
    (removed "_" hgbroker-gap hgbroker-removed))
  "For each kind: the text in a margin, the bitmap in a fringe, the face.")

(defvar-local hgbroker-changes--hunks 'unknown "The hunks of the last answer, a list.")
(defvar-local hgbroker-changes--timer nil "Runs when the buffer has rested.")
(defvar-local hgbroker-changes--busy nil "Whether a comparison is under way.")
(defvar-local hgbroker-changes--again nil "Whether another one is wanted.")
(defvar-local hgbroker-changes--stale nil "Whether to compare when the buffer is shown.")
(defvar-local hgbroker-changes--margin nil "The margin's width before, in a list.")

(defun hgbroker-changes-count ()
  "Return the numbers of lines added, changed and removed in this buffer."
  (let ((added 0) (changed 0) (removed 0))
    (dolist (hunk (and (listp hgbroker-changes--hunks) hgbroker-changes--hunks))
      (let* ((old (plist-get hunk :oldLines))
             (new (plist-get hunk :newLines))
             (both (min old new)))
        (cl-incf added (- new both))
        (cl-incf changed both)
        (cl-incf removed (- old both))))
    (list added changed removed)))

(defun hgbroker-changes--places (hunks)
  "Return where marks go for HUNKS: a list of (LINE . KIND), in order.
Lines that were only removed are marked at the line above."
  (let (places)
    (dolist (hunk hunks (nreverse places))
      (let ((old (plist-get hunk :oldLines))
            (new (plist-get hunk :newLines))
            (start (plist-get hunk :newStart)))
        (if (zerop new)
            (push (cons (max start 1) 'removed) places)
          (dotimes (i new)
            (push (cons (+ start i) (if (< i old) 'changed 'added)) places)))))))

(defun hgbroker-changes--clear ()
  "Remove all marks."
  (save-restriction
    (widen)
    (dolist (overlay (overlays-in (point-min) (1+ (point-max))))
      (when (overlay-get overlay 'hgbroker-kind)
        (delete-overlay overlay)))))

(defun hgbroker-changes--draw (hunks)
  "Mark the lines of HUNKS, and no others."
  (setq hgbroker-changes--hunks hunks)
  (hgbroker-changes--clear)
  (let ((fringe (and (display-graphic-p) (fboundp 'define-fringe-bitmap))))
    (save-excursion
      (save-restriction
        (widen)
        (goto-char (point-min))
        (let ((at 1))
          (pcase-dolist (`(,line . ,kind) (hgbroker-changes--places hunks))
            (forward-line (- line at))
            (setq at line)
            (pcase-let ((`(,_ ,text ,bitmap ,face) (assq kind hgbroker-changes--looks))
                        (overlay (make-overlay (point) (point))))
              (overlay-put overlay 'hgbroker-kind kind)
              (overlay-put overlay 'before-string
                           (propertize " " 'display
                                       (if fringe `(left-fringe ,bitmap ,face)
                                         `((margin left-margin) ,(propertize text 'face face)))))))))))
  (hgbroker--show))

(defun hgbroker-changes--compare (buffer)
  "Compare BUFFER with the file in the first parent."
  (when (buffer-live-p buffer)
    (with-current-buffer buffer
      (cond
       ((not hgbroker--repository))
       (hgbroker-changes--busy (setq hgbroker-changes--again t))
       (t
        (let ((content (and (<= (buffer-size) hgbroker-changes-max-size) (hgbroker-buffer-content)))
              (tick (buffer-chars-modified-tick)))
          (if (not content)
              (hgbroker-changes--draw nil)
            (setq hgbroker-changes--busy t)
            (hgbroker-request
             :hg/lineDiff
             `(,@(hgbroker-place hgbroker--repository)
               :uri ,(hgbroker-encode-path buffer-file-name) :content ,content)
             (lambda (result)
               (hgbroker-changes--answered tick (append (plist-get result :hunks) nil)))
             (lambda (err)
               ;; A file that is not in the parent is an error of its kind.
               (hgbroker-changes--answered
                (unless (eql (plist-get err :code) hgbroker-lost) tick) nil))))))))))

(defun hgbroker-changes--answered (tick hunks)
  "Show HUNKS if the buffer is still at TICK, and compare again if that is wanted."
  (setq hgbroker-changes--busy nil)
  (when hgbroker-changes--again
    (setq hgbroker-changes--again nil)
    (hgbroker-changes-update))
  (when (and hgbroker--repository (eql tick (buffer-chars-modified-tick)))
    (hgbroker-changes--draw hunks)))

(defun hgbroker-changes-update (&rest _)
  "Compare this buffer when it has rested."
  (when hgbroker-changes--timer
    (cancel-timer hgbroker-changes--timer))
  (setq hgbroker-changes--timer
        (run-with-timer hgbroker-changes-delay nil #'hgbroker-changes--compare (current-buffer))))

(defun hgbroker-changes-update-shown ()
  "Compare this buffer soon, or when a window shows it."
  (if (get-buffer-window nil t)
      (hgbroker-changes-update)
    (setq hgbroker-changes--stale t)))

(defun hgbroker-changes--shown (window)
  "WINDOW shows a buffer: catch up with what happened while none did."
  (with-current-buffer (window-buffer window)
    (when hgbroker-changes--stale
      (setq hgbroker-changes--stale nil)
      (hgbroker-changes-update))))

(defun hgbroker-changes--set-margin (width)
  "Make the left margin WIDTH wide, in windows that show the buffer too."
  (setq left-margin-width width)
  (dolist (window (get-buffer-window-list nil nil t))
    (set-window-margins window width (cdr (window-margins window)))))

(defun hgbroker-changes-start ()
  "Mark changed lines of this buffer from now on."
  (unless hgbroker-changes--margin
    (setq hgbroker-changes--margin (list left-margin-width))
    (unless (display-graphic-p)
      (hgbroker-changes--set-margin (max 1 (or left-margin-width 0))))
    (add-hook 'after-change-functions #'hgbroker-changes-update nil t)
    (add-hook 'after-revert-hook #'hgbroker-changes-update nil t)
    (add-hook 'window-buffer-change-functions #'hgbroker-changes--shown nil t)
    (hgbroker-changes--compare (current-buffer))))

(defun hgbroker-changes-stop ()
  "Mark changed lines no longer."
  (when hgbroker-changes--margin
    (remove-hook 'after-change-functions #'hgbroker-changes-update t)
    (remove-hook 'after-revert-hook #'hgbroker-changes-update t)
    (remove-hook 'window-buffer-change-functions #'hgbroker-changes--shown t)
    (when hgbroker-changes--timer
      (cancel-timer hgbroker-changes--timer))
    (unless (display-graphic-p)
      (hgbroker-changes--set-margin (car hgbroker-changes--margin)))
    (setq hgbroker-changes--margin nil hgbroker-changes--timer nil hgbroker-changes--hunks 'unknown
          hgbroker-changes--again nil hgbroker-changes--stale nil)
    (hgbroker-changes--clear)))

;;;###autoload
(defun hgbroker-next-change (count)
  "Go to the COUNTth next place that was changed; back when it is negative."
  (interactive "p")
  (let* ((here (line-number-at-pos nil t))
         (lines (mapcar (lambda (hunk) (max 1 (plist-get hunk :newStart)))
                        (and (listp hgbroker-changes--hunks) hgbroker-changes--hunks)))
         (there (if (> count 0)
                    (seq-filter (lambda (line) (> line here)) lines)
                  (reverse (seq-filter (lambda (line) (< line here)) lines))))
         (line (nth (1- (abs count)) there)))
    (unless line
      (user-error "No more changes"))
    (push-mark nil t)
    (save-restriction (widen) (goto-char (point-min)) (forward-line (1- line)))))

;;;###autoload
(defun hgbroker-previous-change (count)
  "Go to the COUNTth previous place that was changed."
  (interactive "p")
  (hgbroker-next-change (- count)))

(provide 'hgbroker-changes)
;;; hgbroker-changes.el ends here
